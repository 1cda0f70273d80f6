import { ExclusiveRunner } from 'hydrant/exclusive';

/**
 * Polls each bot on one of all replicas.
 *
 * @param {{
 *   registry: import('hydrant').ConnectionRegistry<import('./bots.mjs').BotRow, import('grammy').Bot>,
 *   claims: import('hydrant/exclusive').ClaimStore,
 *   store: { list(): Promise<readonly import('./bots.mjs').BotRow[]> },
 *   ttlMs: number,
 *   replicaName: string,
 * }} options
 */
export function createPoller({ registry, claims, store, ttlMs, replicaName }) {
  return new ExclusiveRunner({
    registry, claims, ttlMs, replicaName,
    list: () => store.list(),
    run: ({ signal, use, assertHeld }) => use(async (bot) => {
      await bot.init();
      let offset = 0;
      while (!signal.aborted) {
        assertHeld(); // this process may have been paused since it looked last
        for (const update of await bot.api.getUpdates({ offset, timeout: 30 }, /** @type {any} */ (signal))) {
          assertHeld();
          await bot.handleUpdate(update);
          offset = update.update_id + 1; // confirmed by the next getUpdates; a crash before it delivers the update again
        }
      }
    }),
  });
}
