/** A real server on loopback. It ends, and its folder is removed, when the process that started it ends. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** `undefined` while halted, and for a server that was not started here. */
  readonly pid: number | undefined;
  /** The folder of its data and its `log`; `undefined` for a server that was not started here. */
  readonly folder: string | undefined;
  /** Ends the process (`SIGINT`, or the signal given) and keeps its data and port. */
  halt(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again after `halt`. */
  resume(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}
