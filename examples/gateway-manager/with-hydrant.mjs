import { ConnectionRegistry, isConnectionError, tableStore } from 'hydrant';
import { ExclusiveRunner } from 'hydrant/exclusive';
import { isFromPlatform } from './world.mjs';

/** @typedef {import('./world.mjs').Row} Row */

/** The manager of a chat gateway. One per replica, over one table. */
export class GatewayManager {
  #table;
  #vault;
  #registry;
  #poller;

  /** @param {import('./world.mjs').World} world @param {string} replica */
  constructor({ table, vault, platform, claims, clock }, replica) {
    this.#table = table;
    this.#vault = vault;
    const registry = new ConnectionRegistry({
      // `health` and `lastError` are written all the time, so they are not part of the version. `ignore` would do the same,
      // with a SHA-256 of the other columns. That takes real time, for which the trial's manual clock does not wait.
      store: tableStore({
        read: table.read,
        version: ({ status, mode, greeting, tokenRef, hookRef, restarts }) =>
          JSON.stringify([status, mode, greeting, tokenRef, hookRef, restarts]),
      }),
      factory: {
        secrets: async (row) => ({ token: await vault.get(row.tokenRef), hook: await vault.get(row.hookRef) }),
        create: (row, { secrets }) => platform.startBot(row, secrets.token),
        dispose: (bot) => bot.stop(),
        authenticate: (request, { secrets }) => isFromPlatform(request, secrets.hook),
        handleWebhook: (bot, request) => bot.receive(request),
      },
      clock,
    });
    registry.on('hydrated', ({ id }) => this.#note(id, { health: 'running', lastError: undefined }));
    registry.on('hydrationFailed', ({ id, error }) => this.#note(id, { health: 'failing', lastError: reasonOf(error) }));
    this.#registry = registry;
    this.#poller = new ExclusiveRunner({
      registry,
      claims: claims(replica),
      list: async () =>
        (await table.list()).filter(({ mode, status }) => mode === 'polling' && status === 'active').map(({ id }) => id),
      async run({ signal, use, assertHeld }) {
        while (!signal.aborted) {
          for (const text of await use((bot) => bot.poll(signal))) {
            assertHeld();
            await use((bot) => bot.post(text));
          }
        }
      },
      replicaName: replica,
      clock,
    });
    this.#poller.on('claimsFailed', () => {}); // otherwise they are written to the console
  }

  /** Starts nothing but the polling that this replica gets: everything else starts when it is used. */
  async boot() {
    this.#poller.start();
  }

  /** A row that does not start is not kept. @param {Row} row */
  async add(row) {
    await this.#table.insert(row);
    try {
      await this.#registry.use(row.id, () => {});
    } catch (error) {
      await this.#table.delete(row.id);
      throw error;
    }
    await this.#poller.refresh();
  }

  /** @param {string} id @param {Partial<Row>} changes */
  async edit(id, changes) {
    await this.#table.update(id, changes);
  }

  /** @param {string} id */
  async start(id) {
    await this.#table.update(id, { status: 'active' });
    await this.#registry.use(id, () => {});
  }

  /** On every replica. @param {string} id */
  async restart(id) {
    const [row] = await this.#table.read([id]);
    await this.#table.update(id, { status: 'active', restarts: (row?.restarts ?? 0) + 1 });
    await this.#registry.use(id, () => {});
  }

  /**
   * Resolves when the bot of this replica is gone. Those of others go at their next use, or with the next sweep.
   *
   * @param {string} id
   */
  async stop(id) {
    await this.#table.update(id, { status: 'stopped' });
    await this.#registry.invalidate(id);
  }

  /** Deletes the row last, so that a failed removal can be repeated. @param {string} id */
  async remove(id) {
    await this.stop(id);
    const [row] = await this.#table.read([id]);
    if (row === undefined) return;
    await Promise.all([this.#vault.delete(row.tokenRef), this.#vault.delete(row.hookRef)]);
    await this.#table.delete(id);
  }

  /** @param {string} id @param {string} text */
  post(id, text) {
    return this.#registry.use(id, (bot) => bot.post(text));
  }

  /** @param {string} id @param {Request} request */
  webhook(id, request) {
    return this.#registry.handleWebhook(id, request);
  }

  /** An admin asks whether it works, and does not wait for a back-off. @param {string} id */
  async validate(id) {
    if (!this.isRunning(id)) await this.#registry.invalidate(id);
    try {
      return { works: true, detail: await this.#registry.use(id, (bot) => bot.whoAmI()) };
    } catch (error) {
      return { works: false, detail: reasonOf(error) };
    }
  }

  /** @param {string} id */
  isRunning(id) {
    const { state } = this.#registry.inspect(id) ?? {};
    return state === 'idle' || state === 'leased';
  }

  /** @param {string} id */
  polls(id) {
    return this.#poller.owns(id);
  }

  async close() {
    await this.#poller.stop();
    await this.#registry.close();
  }

  /** @param {string} id @param {Partial<Row>} changes */
  #note(id, changes) {
    this.#table.update(id, changes).catch((error) => console.error(`could not note the health of ${id}`, error));
  }
}

/** The reason of a failure: its cause, if there is one. @param {unknown} error */
function reasonOf(error) {
  const cause = isConnectionError(error, 'HYDRATION_FAILED') ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
