import { isFromPlatform } from './world.mjs';

/** @typedef {import('./world.mjs').Row} Row */
/** @typedef {{ row: Row, bot: import('./world.mjs').Bot, hook: string }} Running */

const START_TIMEOUT_MS = 30_000;
const CLAIM_TTL_MS = 45_000;

/**
 * The manager of a chat gateway, with a Map. It starts all bots at boot and missing bots on demand, marks rows that do not
 * start, and polls under a claim that it renews.
 */
export class GatewayManager {
  /** @type {Map<string, Running>} */
  #running = new Map();
  /** Polls under a claim. @type {Map<string, AbortController>} */
  #loops = new Map();
  #table;
  #vault;
  #platform;
  #clock;
  #replica;
  /** @type {(() => void) | undefined} */
  #cancelTick = undefined;

  /** @param {import('./world.mjs').World} world @param {string} replica */
  constructor({ table, vault, platform, clock }, replica) {
    this.#table = table;
    this.#vault = vault;
    this.#platform = platform;
    this.#clock = clock;
    this.#replica = replica;
  }

  /** Starts all bots that should run, also those that failed before. */
  async boot() {
    for (const row of await this.#table.list()) {
      if (row.status !== 'active') continue;
      await this.#startBot(row).catch(() => {}); // the row has the error
    }
    this.#tick();
  }

  /** A row that does not start is not kept. @param {Row} row */
  async add(row) {
    await this.#table.insert(row);
    try {
      await this.#startBot(row);
      await this.#tick();
    } catch (error) {
      await this.#table.delete(row.id);
      throw error;
    }
  }

  /** @param {string} id @param {Partial<Row>} changes */
  async edit(id, changes) {
    await this.#table.update(id, changes);
    if (this.#running.has(id)) await this.restart(id);
  }

  /** @param {string} id */
  async start(id) {
    await this.#table.update(id, { status: 'active' });
    if (!await this.#ensureRunning(id)) throw new Error(`no such bot: ${id}`);
  }

  /** @param {string} id */
  async restart(id) {
    await this.#stopBot(id);
    await this.start(id);
  }

  /** @param {string} id */
  async stop(id) {
    await this.#stopBot(id);
    await this.#table.update(id, { status: 'stopped' });
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
  async post(id, text) {
    const running = await this.#ensureRunning(id);
    if (running === undefined) throw new Error(`no such bot: ${id}`);
    return running.bot.post(text);
  }

  /** @param {string} id @param {Request} request */
  async webhook(id, request) {
    try {
      const running = await this.#ensureRunning(id);
      if (running === undefined) return new Response('no such bot', { status: 404 });
      if (!isFromPlatform(request, running.hook)) return new Response(null, { status: 401 });
      return await running.bot.receive(request);
    } catch {
      return new Response('internal error', { status: 500 });
    }
  }

  /** @param {string} id */
  async validate(id) {
    try {
      const running = await this.#ensureRunning(id);
      if (running === undefined) return { works: false, detail: 'no such bot' };
      return { works: true, detail: await running.bot.whoAmI() };
    } catch (error) {
      return { works: false, detail: messageOf(error) };
    }
  }

  /** @param {string} id */
  isRunning(id) {
    return this.#running.has(id);
  }

  /** @param {string} id */
  polls(id) {
    return this.#loops.has(id);
  }

  async close() {
    this.#cancelTick?.();
    for (const id of this.#loops.keys()) await this.#stopPolling(id);
    for (const id of this.#running.keys()) await this.#stopBot(id);
  }

  /** Another replica may have added it. @param {string} id */
  async #ensureRunning(id) {
    if (!this.#running.has(id)) {
      const [row] = await this.#table.read([id]);
      if (row === undefined || row.status !== 'active') return undefined;
      await this.#startBot(row);
    }
    return this.#running.get(id);
  }

  /** @param {Row} row */
  async #startBot(row) {
    try {
      await this.#inTime(this.#startBotNow(row));
      await this.#table.update(row.id, { health: 'running', lastError: undefined });
    } catch (error) {
      await this.#table.update(row.id, { health: 'failing', lastError: messageOf(error) });
      throw error;
    }
  }

  /** @param {Row} row */
  async #startBotNow(row) {
    const [token, hook] = await Promise.all([this.#vault.get(row.tokenRef), this.#vault.get(row.hookRef)]);
    this.#running.set(row.id, { row, bot: await this.#platform.startBot(row, token), hook });
  }

  /** @template T @param {Promise<T>} work @returns {Promise<T>} */
  #inTime(work) {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.setTimeout(() => reject(new Error('the bot did not start in time')), START_TIMEOUT_MS, {
        ref: true,
      });
      work.finally(cancel).then(resolve, reject);
    });
  }

  /** @param {string} id */
  async #stopBot(id) {
    const running = this.#running.get(id);
    await this.#stopPolling(id);
    this.#running.delete(id);
    await running?.bot.stop();
  }

  /** Takes free claims and renews its own, three times before they expire. */
  async #tick() {
    this.#cancelTick?.();
    this.#cancelTick = this.#clock.setTimeout(() => this.#tick(), CLAIM_TTL_MS / 3, { ref: true });
    try {
      for (const { id, mode, status } of await this.#table.list()) {
        if (mode !== 'polling' || status !== 'active') continue;
        const isMine = await this.#table.claim(id, this.#replica, CLAIM_TTL_MS);
        if (!isMine) this.#endLoop(id);
        else if (!this.#loops.has(id)) void this.#poll(id);
      }
    } catch {
      // A database that restarts must not stop every bot: the next tick tries again.
    }
  }

  /** @param {string} id */
  async #poll(id) {
    const loop = new AbortController();
    this.#loops.set(id, loop);
    while (!loop.signal.aborted) {
      try {
        const running = await this.#ensureRunning(id);
        if (running === undefined) return this.#endLoop(id);
        for (const text of await running.bot.poll(loop.signal)) await running.bot.post(text);
      } catch {
        await new Promise((resolve) => { this.#clock.setTimeout(() => resolve(undefined), 5_000, { ref: false }); });
      }
    }
  }

  /** @param {string} id */
  #endLoop(id) {
    this.#loops.get(id)?.abort();
    this.#loops.delete(id);
  }

  /** @param {string} id */
  async #stopPolling(id) {
    if (!this.#loops.has(id)) return;
    this.#endLoop(id);
    await this.#table.release(id, this.#replica);
  }
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error));
