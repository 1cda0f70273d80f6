/** An opaque row version. Two versions are compared as `String(version)`, for equality only. */
export type Version = string | number | bigint;

/** Whether a connection is served. Webhooks of a stopped one get 404, as if it did not exist. */
export type ConnectionStatus = 'active' | 'stopped';

/** The fields of every record. Extend it with the fields that your factory needs. */
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
