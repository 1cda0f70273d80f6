/** A row of the application's table. */
export interface Bot { readonly id: string; readonly token: string; readonly pausedAt: Date | null; readonly lastError?: string }

export const bot = (id: string, fields: Partial<Bot> = {}): Bot => ({ id, token: `token of ${id}`, pausedAt: null, ...fields });

/** A table in memory that records the ids of its reads. */
export class Bots {
  readonly rows = new Map<string, Bot>();
  readonly reads: (readonly string[])[] = [];

  constructor(...rows: Bot[]) {
    for (const row of rows) this.rows.set(row.id, row);
  }

  readonly read = async (ids: readonly string[]): Promise<Bot[]> => {
    this.reads.push(ids);
    return [...this.rows.values()].filter(({ id }) => ids.includes(id)).toReversed();
  };
}
