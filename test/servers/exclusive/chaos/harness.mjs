// Real processes, a real server, a proxy in front of it for each replica, and a provider that judges.
import { build } from 'esbuild';
import { fork } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startProxy } from './proxy.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const root = here('../../../..');

/** Milliseconds on the machine's monotonic clock, the same in every process. */
export const now = () => Number(process.hrtime.bigint()) / 1e6;

/** The package from `src`, for child processes, because the last build may be older. */
export async function bundlePackage() {
  const folder = await mkdtemp(join(tmpdir(), 'hydrant-chaos-'));
  const outfile = join(folder, 'hydrant.mjs');
  const contents = `
    export { ConnectionRegistry, MemoryStore, systemClock } from './src/index.ts';
    export { ExclusiveRunner } from './src/exclusive/index.ts';
    export { PostgresClaims } from './src/stores/postgres/claims.ts';
    export { RedisClaims } from './src/stores/redis/claims.ts';`;
  await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    outfile,
    logLevel: 'error',
  });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return { url: pathToFileURL(outfile).href, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A child process and the answers it owes. */
class Child {
  constructor(script, config) {
    this.process = fork(here(script), [JSON.stringify(config)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.owed = new Map();
    this.process.on('message', (message) => {
      this.owed.get(message.answer)?.(message);
      this.owed.delete(message.answer);
    });
    this.process.on('error', () => {});
  }

  answer(name) {
    return new Promise((resolve) => this.owed.set(name, resolve));
  }

  async ask(message, name) {
    const answer = this.answer(name);
    this.process.send(message);
    return answer;
  }

  get alive() {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async end() {
    if (this.alive) this.process.kill('SIGKILL');
    await this.ended;
  }
}

/** Five replicas, say, with the provider and their proxies. */
export class ChaosCluster {
  replicas = [];
  violations = [];
  #count = 0;

  constructor({ kind, clients, server, bundle, ttlMs = 3_000, replicas = 5, connections = 1_000, script = 'replica.mjs' }) {
    this.options = { kind, clients, server, serverUrl: new URL(server.url), bundle, ttlMs, replicas, connections, script };
    this.ttlMs = ttlMs;
  }

  async start() {
    this.provider = new Child('provider.mjs', {});
    this.providerPort = (await this.provider.answer('port')).port;
    await this.startReplicas(this.options.replicas);
  }

  startReplicas(count) {
    return Promise.all(Array.from({ length: count }, () => this.startReplica()));
  }

  async startReplica() {
    const { kind, clients, server, serverUrl, bundle, ttlMs, connections, replicas, script } = this.options;
    const proxy = await startProxy(Number(serverUrl.port || (kind === 'postgres' ? 5432 : 6379)), serverUrl.hostname);
    const url = new URL(serverUrl);
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    const name = `r${this.#count++}`;
    const child = new Child(script, {
      kind, clients, url: url.href, prefix: server.prefix, ttlMs, connections, replicas, name,
      bundle: bundle.url, providerPort: this.providerPort, pollMs: ttlMs / 10,
    });
    await child.answer('ready');
    const replica = Object.assign(child, { name, proxy });
    void child.ended.then(() => proxy.close());
    this.replicas.push(replica);
    return replica;
  }

  get live() {
    return this.replicas.filter((replica) => replica.alive);
  }

  /** The record of the provider since `forget`. */
  async report() {
    const report = await this.provider.ask({ ask: 'report' }, 'report');
    return report;
  }

  /** Judges what has been so far and begins a new record. */
  async forget() {
    const { stale } = await this.report();
    this.violations.push(...stale);
    await this.provider.ask({ ask: 'forget' }, 'forget');
  }

  /** How many connections each live replica polls, as the provider sees it; `undefined` while one is polled by nobody. */
  async loads() {
    const { owners, at } = await this.report();
    const names = new Set(this.live.map(({ name }) => name));
    const fresh = owners.filter((owner) => names.has(owner.replica) && at - owner.at < this.ttlMs / 2);
    if (fresh.length < this.options.connections) return undefined;
    return this.live.map(({ name }) => fresh.filter(({ replica }) => replica === name).length);
  }

  /** How many replicas have polled something within the last `ms`. */
  async polling(ms) {
    const { owners, at } = await this.report();
    return new Set(owners.filter((owner) => at - owner.at < ms).map(({ replica }) => replica)).size;
  }

  /** Waits until everything is polled, and evenly. Returns how long that took, in TTLs. */
  async balanced({ withinTtl = 15, even = true } = {}) {
    const began = now();
    for (;;) {
      const loads = await this.loads();
      if (loads !== undefined && (!even || Math.max(...loads) - Math.min(...loads) <= 1)) return (now() - began) / this.ttlMs;
      if (now() - began > withinTtl * this.ttlMs)
        throw new Error(
          `not balanced after ${withinTtl} TTL: ${loads === undefined ? 'something is polled by nobody' : loads.join(' ')}`,
        );
      await sleep(50);
    }
  }

  /** Waits until hints arrive at every replica again: without them a replica looks for free connections once per tick. */
  async hearing({ withinTtl = 15 } = {}) {
    const began = now();
    for (;;) {
      const deaf = (await this.stats()).filter(({ hearing }) => !hearing).length;
      if (deaf === 0) return;
      if (now() - began > withinTtl * this.ttlMs) throw new Error(`${deaf} replicas hear no hints after ${withinTtl} TTL`);
      await sleep(50);
    }
  }

  /** Which connections `replica` polls at the moment. */
  async ownedBy({ name }) {
    const { owners } = await this.report();
    return owners.filter((owner) => owner.replica === name).map(({ id }) => id);
  }

  /** When each of `ids` was first polled by another owner after `since`, as a time after it, in milliseconds. */
  async takeovers(ids, since) {
    const { changes } = await this.report();
    const wanted = new Set(ids);
    const first = new Map();
    for (const { id, at } of changes) if (at > since && wanted.has(id) && !first.has(id)) first.set(id, at - since);
    return [...first.values()].toSorted((a, b) => a - b);
  }

  /** How often connections changed hands since `forget`, at most. */
  async mostMoves() {
    const { changes } = await this.report();
    const moves = new Map();
    for (const { id } of changes) moves.set(id, (moves.get(id) ?? 0) + 1);
    return { moved: moves.size, most: Math.max(0, ...moves.values()) };
  }

  async stats() {
    return Promise.all(this.live.map((replica) => replica.ask({ command: 'stats' }, 'stats')));
  }

  /** Claim queries per replica and tick during `work`, and the most of any replica. */
  async queries(work) {
    const before = await this.stats();
    const began = now();
    await work();
    const after = await this.stats();
    const ticks = (now() - began) / (this.ttlMs / 9);
    return after.map(
      ({ calls }, index) => Object.keys(calls).reduce((sum, call) => sum + calls[call] - before[index].calls[call], 0) / ticks,
    );
  }

  async stop() {
    await Promise.all([...this.replicas, this.provider].map((child) => child?.end()));
  }
}

/** How late timers fire in this process during `work`, sorted, in milliseconds: the machine's own delay. */
export async function schedulingLag(work) {
  const lags = [];
  let due = now() + 10;
  const probe = setInterval(() => {
    lags.push(Math.max(0, now() - due));
    due = now() + 10;
  }, 10);
  try {
    await work();
  } finally {
    clearInterval(probe);
  }
  return lags.toSorted((a, b) => a - b);
}

/** The value below which `share` of sorted `values` lie. */
export const quantile = (values, share) => values[Math.min(values.length - 1, Math.floor(values.length * share))];
