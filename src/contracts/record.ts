/** An opaque row version. Two versions are compared as `String(version)`, for equality only. */
export type Version = string | number | bigint;

/** Whether a connection is to be served. A stopped one is answered like one that does not exist. */
export type ConnectionStatus = 'active' | 'stopped';

/** What every stored row has. Extend it with what your factory needs to build an instance. */
export interface ConnectionRecord {
  readonly id: string;
  /**
   * Two equal versions of one id mean equal configuration and equal status. A counter and a hash of the row are
   * both valid. A version that changes with bookkeeping (last error, last seen) costs needless hydrates.
   */
  readonly version: Version;
  readonly status: ConnectionStatus;
}

/** A value or a promise of it. */
export type Awaitable<T> = T | Promise<T>;
