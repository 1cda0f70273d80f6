import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionRegistry, MemoryStore } from 'hydrant';

/** A registry with traffic. */
export function startTraffic() {
  const ids = Array.from(
    { length: 400 },
    (_, index) => `${['slack', 'telegram', 'discord'][index % 3]}:acme-${String(index).padStart(3, '0')}`,
  );
  const registry = new ConnectionRegistry({
    store: new MemoryStore(ids.map((id) => ({ id }))),
    maxInstances: 250,
    factory: {
      async create({ id }) {
        await delay(20 + Math.random() ** 4 * 900);
        if (id.endsWith('7')) throw new Error('the token was revoked');
        return {};
      },
    },
  });
  registry.on('hydrationFailed', () => {}); // the page shows them
  const ending = new AbortController();
  const use = async () => {
    while (!ending.signal.aborted) {
      const id = ids[Math.floor(Math.random() ** 2 * ids.length)] ?? '';
      await registry.use(id, () => delay(Math.random() * 400)).catch(() => {});
      await delay(Math.random() * 100);
    }
  };
  const users = Promise.all(Array.from({ length: 40 }, use));
  return {
    registry,
    async stop() {
      ending.abort();
      await users;
      await registry.close();
    },
  };
}
