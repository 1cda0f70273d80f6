/** Answers queries: a `pg` Pool or Client, PGlite, or anything else with this method. The caller owns it. */
export interface PostgresClient {
  /** Resolves to the rows, or to an object with the rows. */
  query(text: string, values?: unknown[]): Promise<readonly unknown[] | { readonly rows: readonly unknown[] }>;
}

/**
 * One connection that is not shared: a `pg` Client that is not connected yet. It must reach PostgreSQL itself, or a
 * pooler in session mode, because LISTEN does not work through a pooler in transaction mode.
 */
export interface PostgresListenClient {
  connect(): Promise<unknown>;
  query(text: string): Promise<unknown>;
  end(): Promise<unknown>;
  on(event: 'notification', listener: (message: { channel: string; payload?: string | undefined }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}
