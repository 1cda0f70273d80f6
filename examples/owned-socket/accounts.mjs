import { ConnectionRegistry } from 'hydrant';
import { ExclusiveRunner } from 'hydrant/exclusive';
import { openSocket } from './socket.mjs';

/** @typedef {import('hydrant').ConnectionRecord & { account: string }} AccountRow */
/** @typedef {{ account: string, send(text: string): Promise<void> }} Account */

/**
 * Accounts that send from every replica, and the sockets, one per account, that carry it.
 *
 * @param {{
 *   store: import('hydrant').ConnectionStore<AccountRow> & { list(): Promise<readonly AccountRow[]> },
 *   claims: import('hydrant/exclusive').ClaimStore,
 *   outbox: ReturnType<typeof import('./outbox.mjs').createOutbox>,
 *   port: number, ttlMs: number, replicaName: string,
 * }} options
 */
export function createAccounts({ store, claims, outbox, port, ttlMs, replicaName }) {
  /** @type {ConnectionRegistry<AccountRow, Account>} */
  const registry = new ConnectionRegistry({
    store,
    // No socket here: this runs on every replica that sends.
    factory: { create: ({ id, account }) => ({ account, send: (text) => outbox.put(id, text) }) },
  });
  const sockets = new ExclusiveRunner({
    registry, claims, ttlMs, replicaName,
    list: () => store.list(),
    async run({ id, record, token, signal, assertHeld }) {
      const socket = await openSocket({ port, account: record.account, token, replica: replicaName, signal });
      try {
        while (!signal.aborted) {
          for (const message of await outbox.unsent(id)) {
            assertHeld(); // no await between this and the write
            await socket.send(message);
            await outbox.sent(message.id);
          }
          await Promise.race([outbox.somethingPut(id, signal), socket.ended]);
        }
      } finally {
        await socket.close(); // stopped first; only then is the claim released
      }
    },
  });
  return { registry, sockets };
}
