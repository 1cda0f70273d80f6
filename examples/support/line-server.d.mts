/** A chat server on loopback that lets each name in once, and keeps a log of what it sees. */
export declare function startLineServer(): Promise<{
  readonly port: number;
  readonly log: readonly string[];
  /** Connections that are open, logged in or not. */
  readonly open: number;
  silence(silent: boolean): void;
  behave(mode: 'serve' | 'refuse' | 'reset' | 'hang'): Promise<void>;
  reset(): void;
  tell(name: string, text: string): void;
  drop(name: string): void;
  close(): Promise<void>;
}>;
