import { ConnectionRegistry } from 'hydrant';
import { PostgresStore } from 'hydrant/postgres';
import type { PostgresDatabase } from '../support/postgres.js';

interface Bot { readonly token: string }

/** The failures while a schema tool ran. */
export interface Outcome {
  readonly edits: number;
  readonly failedWrites: readonly unknown[];
  readonly failedUses: readonly unknown[];
  readonly missedEdits: readonly string[];
  /** The findings of `check()` afterwards. */
  readonly findings: readonly unknown[];
}

/** So many at least are made while the tool runs. */
export const ENOUGH_EDITS = 10;

/** A gateway that serves the table `bots` while `tool` changes it: after every edit, a use must see the edit. */
export async function serveWhile({ pool, bots }: PostgresDatabase, tool: () => Promise<unknown>): Promise<Outcome> {
  const store = new PostgresStore<Bot>({
    client: pool,
    table: 'bots',
    columns: { config: ['token'] },
    stopped: 'paused_at is not null',
    mapRow: ({ token }) => ({ token: String(token) }),
  });
  await store.migrate();
  await using registry = new ConnectionRegistry({ store, factory: { create: (record) => record.token } });
  const outcome = { edits: 0, failedWrites: [] as unknown[], failedUses: [] as unknown[], missedEdits: [] as string[] };
  const progress = { running: true };
  const edit = async (): Promise<void> => {
    while (progress.running) {
      const token = `edit ${outcome.edits += 1}`;
      await bots.write('acme', { status: 'active', config: token }).catch((error: unknown) => outcome.failedWrites.push(error));
      const seen = await registry
        .use('acme', (instance) => instance)
        .catch((error: unknown) => {
          outcome.failedUses.push(error);
        });
      if (seen !== undefined && seen !== token) outcome.missedEdits.push(`${token}: got ${seen}`);
    }
  };
  const editing = edit();
  try {
    // A busy machine makes few edits in the time of two runs.
    for (let runs = 0; runs < 2 || outcome.edits <= ENOUGH_EDITS; runs += 1) await tool();
  } finally {
    progress.running = false;
    await editing;
  }
  return { ...outcome, findings: await store.check() };
}
