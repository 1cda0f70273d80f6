import { ConnectionRegistry, isConnectionError, tableStore } from 'hydrant';
import { expect, test } from 'vitest';

interface Bot { readonly id: string; readonly token: string; readonly paused: boolean }

/** A row that is changed back gets its old version back. */
test('with a hash of the row as its version, every strict use sees the current row, over 400 edits back and forth', async () => {
  const rows = new Map<string, Bot>();
  let seed = 4711;
  const below = (limit: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * limit);
  };
  const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
  const store = tableStore<Bot>({
    async read(ids) {
      if (below(2) === 0) await turn();
      const found = ids.map((id) => rows.get(id)).filter((row) => row !== undefined);
      if (below(2) === 0) await turn();
      return found;
    },
    status: ({ paused }) => (paused ? 'stopped' : 'active'),
  });
  await using registry = new ConnectionRegistry({
    store,
    factory: { async create(record) { if (below(3) === 0) await turn(); return { token: record.token }; } },
  });
  const wrong: string[] = [];
  const uses: Promise<void>[] = [];
  for (let edit = 0; edit < 400; edit += 1) {
    // A use that began before the edit may see it or not. Its answer must not be shared with uses that begin later.
    const earlier = registry.use('acme', turn).catch(() => {});
    for (let turns = below(3); turns > 0; turns -= 1) await turn();
    const kind = below(6);
    if (kind === 0) rows.delete('acme');
    else rows.set('acme', { id: 'acme', token: 'ab'[below(2)] as string, paused: kind === 1 });
    const now = rows.get('acme');
    const expected = now === undefined ? 'CONNECTION_NOT_FOUND' : now.paused ? 'CONNECTION_STOPPED' : now.token;
    for (let n = 0; n < 5; n += 1) {
      uses.push(
        registry
          .use('acme', (instance) => instance.token)
          .catch((error: unknown) => (isConnectionError(error) ? error.code : String(error)))
          .then((seen) => {
            if (seen !== expected) wrong.push(`edit ${edit}: expected ${expected}, got ${seen}`);
          }),
      );
    }
    await Promise.all([earlier, ...uses.splice(0)]);
  }
  expect(wrong).toEqual([]);
});
