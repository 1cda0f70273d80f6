import type { EventEmitter } from 'node:events';

/** A client of a chat server that speaks lines over TCP. */
export declare class LineAdapter extends EventEmitter {
  connect(account: { port: number; name: string; password: string }, options: { signal: AbortSignal }): Promise<void>;
  say(to: string, text: string): void;
  close(): Promise<void>;
}
