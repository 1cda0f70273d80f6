import { timingSafeEqual } from 'node:crypto';
import { MemoryClaimServer, MemoryClaims } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {'active' | 'stopped'} status
 * @property {'webhook' | 'polling'} mode
 * @property {string} greeting
 * @property {string} tokenRef where the token is, not the token
 * @property {string} hookRef
 * @property {number} restarts
 * @property {'new' | 'running' | 'failing'} health
 * @property {string | undefined} lastError
 *
 * @typedef {Awaited<ReturnType<ReturnType<typeof createWorld>['platform']['startBot']>>} Bot
 * @typedef {ReturnType<typeof createWorld>} World
 */

/** The table, vault, claims and chat platform that both gateways share. A trial can break each. Time is a manual clock. */
export function createWorld() {
  const clock = new ManualClock();
  /** Replicas that cannot reach the claims. @type {Set<string>} */
  const cut = new Set();
  return {
    clock, cut, vault: createVault(), platform: createPlatform(clock),
    table: createTable(clock, cut), claims: createClaims(clock, cut),
  };
}

/** Stands for a table in PostgreSQL. @param {ManualClock} clock @param {Set<string>} cut */
function createTable(clock, cut) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  /** @type {Map<string, { replica: string, until: number }>} */
  const owners = new Map();
  return {
    /** @param {readonly string[]} ids */
    read: async (ids) => ids.flatMap((id) => rows.get(id) ?? []),
    list: async () => [...rows.values()],
    /** @param {Row} row */
    async insert(row) { rows.set(row.id, row); },
    /** @param {string} id @param {Partial<Row>} changes */
    async update(id, changes) {
      const row = rows.get(id);
      if (row !== undefined) rows.set(id, { ...row, ...changes });
    },
    /** @param {string} id */
    async delete(id) { rows.delete(id); },
    /**
     * One statement that claims or renews; false if another replica has it.
     * @param {string} id @param {string} replica @param {number} ttlMs
     */
    async claim(id, replica, ttlMs) {
      if (cut.has(replica)) throw new Error('connection reset');
      const owner = owners.get(id);
      if (owner !== undefined && owner.replica !== replica && owner.until > clock.now()) return false;
      owners.set(id, { replica, until: clock.now() + ttlMs });
      return true;
    },
    /** @param {string} id @param {string} replica */
    async release(id, replica) {
      if (owners.get(id)?.replica === replica) owners.delete(id);
    },
  };
}

/** Stands for a store of secrets: rows only refer to them. */
function createVault() {
  /** @type {Map<string, string>} */
  const secrets = new Map();
  return {
    /** @param {string} ref @param {string} secret */
    async put(ref, secret) { secrets.set(ref, secret); },
    /** @param {string} ref */
    async get(ref) {
      const secret = secrets.get(ref);
      if (secret === undefined) throw new Error(`no secret at ${ref}`);
      return secret;
    },
    /** @param {string} ref */
    async delete(ref) { secrets.delete(ref); },
  };
}

/** Stands for `PostgresClaims`, one for each replica. @param {ManualClock} clock @param {Set<string>} cut */
function createClaims(clock, cut) {
  const server = new MemoryClaimServer({ clock });
  return (/** @type {string} */ replica) => new MemoryClaims({
    server,
    intercept: (_call, carryOut) => {
      if (cut.has(replica)) throw new Error('connection reset');
      return carryOut();
    },
  });
}

/** Starts bots, and records their fate. @param {ManualClock} clock */
function createPlatform(clock) {
  const state = {
    starts: 0,
    /** @type {Set<{ token: string }>} */
    running: new Set(),
    /** Tokens whose bots fail to start. @type {Set<string>} */
    failing: new Set(),
    /** Tokens whose bots take a minute to start. @type {Set<string>} */
    slow: new Set(),
    /** Polls that wait, per token. @type {Map<string, number>} */
    polls: new Map(),
    /** Handlers wait for it. */
    handlersMayGoOn: Promise.resolve(),
  };
  const sleep = (/** @type {number} */ ms, /** @type {AbortSignal | undefined} */ signal = undefined) =>
    new Promise((resolve) => {
      const cancel = clock.setTimeout(() => resolve(undefined), ms, { ref: false });
      signal?.addEventListener('abort', () => { cancel(); resolve(undefined); });
    });
  return Object.assign(state, {
    /** @param {Row} row @param {string} token */
    async startBot(row, token) {
      state.starts += 1;
      await (state.slow.has(token) ? sleep(60_000) : undefined);
      if (state.failing.has(token)) throw new Error('502 from the platform');
      const session = { token };
      state.running.add(session);
      const say = (/** @type {string} */ text) => {
        if (!state.running.has(session)) throw new Error('this bot was stopped');
        return `${row.greeting} ${text}`;
      };
      return {
        whoAmI: async () => say('myself'),
        /** @param {string} text */
        post: async (text) => say(text),
        /** @param {Request} request */
        async receive(request) {
          const text = await request.text();
          await state.handlersMayGoOn;
          return new Response(say(text));
        },
        /** Waits half a minute for messages. There are none. @param {AbortSignal} signal @returns {Promise<string[]>} */
        async poll(signal) {
          state.polls.set(token, (state.polls.get(token) ?? 0) + 1);
          await sleep(30_000, signal);
          state.polls.set(token, (state.polls.get(token) ?? 1) - 1);
          return [];
        },
        async stop() { state.running.delete(session); },
      };
    },
  });
}

/** Returns whether the platform sent the request. @param {Request} request @param {string} hookSecret */
export function isFromPlatform(request, hookSecret) {
  const [given, expected] = [request.headers.get('x-hook-secret') ?? '', hookSecret].map((text) => Buffer.from(text));
  return given?.length === expected?.length && timingSafeEqual(/** @type {Buffer} */ (given), /** @type {Buffer} */ (expected));
}
