import { MemoryClaimServer } from 'hydrant/exclusive';
import type { IoredisClient, IoredisSubscriber, NodeRedisClient, NodeRedisSubscriber } from 'hydrant/redis';
import { ManualClock } from 'hydrant/testing';
import { CLAIM, RELEASE, RENEW } from '../../../src/stores/redis/claims-scripts.js';
import { DELETE, PING, PUT, SCAN, TOUCH } from '../../../src/stores/redis/scripts.js';

type Hash = Map<string, string>;

/**
 * Redis as far as the stores use it. It runs no Lua: what each script promises is carried out here, and that the
 * scripts do the same is for the tests on real servers.
 */
export class FakeRedis {
  /** The time that claims go by. */
  readonly clock = new ManualClock();
  readonly hashes = new Map<string, Hash>();
  readonly counters = new Map<string, number>();
  readonly subscribers = new Set<FakeSubscriber>();
  readonly #claims = new Map<string, MemoryClaimServer>();
  /** Every command, with its keys and what else it was given. */
  readonly sent: { readonly script: string; readonly keys: readonly string[]; readonly args: readonly string[] }[] = [];
  /** How many entries a step of SCAN gives. */
  step = 2;

  hash(key: string): Hash {
    return this.hashes.get(key) ?? this.hashes.set(key, new Map()).get(key)!;
  }

  hmget(key: string, fields: readonly string[]): (string | null)[] {
    if (fields.length === 0) throw new Error(`ERR wrong number of arguments for 'hmget' command`);
    this.sent.push({ script: 'hmget', keys: [key], args: fields });
    return fields.map((field) => this.hash(key).get(field) ?? null);
  }

  publish(channel: string, message: string): void {
    for (const subscriber of this.subscribers) if (subscriber.channels.includes(channel)) subscriber.hear(channel, message);
  }

  eval(script: string, keys: readonly string[], args: readonly string[]): unknown {
    if ([...keys, ...args].some((value) => typeof value !== 'string')) throw new TypeError('expected text alone');
    this.sent.push({ script, keys, args });
    switch (script) {
      case PUT: return this.#put(keys, args);
      case TOUCH: return this.#touch(keys, args);
      case DELETE: return this.#delete(keys, args);
      case SCAN: return this.#scan(this.hash(keys[0]!), args[0]!);
      case PING: return this.publish(args[0]!, String(this.counters.get(keys[0]!) ?? 0));
      case RENEW: return this.#renew(keys, args);
      case CLAIM: return this.#claim(keys, args);
      case RELEASE: return this.#release(keys, args);
      // The ping of those that listen for claims.
      default: return this.publish(args[0]!, '');
    }
  }

  #change([records, versions, counter]: readonly string[], [id, channel, suffix]: readonly string[], json: string | undefined): void {
    const number = (this.counters.get(counter!) ?? 0) + 1;
    this.counters.set(counter!, number);
    if (json !== undefined) {
      this.hash(records!).set(id!, `${number}-${suffix} ${json}`);
      this.hash(versions!).set(id!, `${number}-${suffix}`);
    }
    this.publish(channel!, `${number} ${id}`);
  }

  #put(keys: readonly string[], args: readonly string[]): string {
    const row = () => this.hash(keys[0]!).get(args[0]!);
    if (jsonOf(row()) !== args[3]) this.#change(keys, args, args[3]);
    return row()!;
  }

  #touch(keys: readonly string[], args: readonly string[]): number {
    const json = jsonOf(this.hash(keys[0]!).get(args[0]!));
    if (json === undefined) return 0;
    this.#change(keys, args, json);
    return 1;
  }

  #delete(keys: readonly string[], args: readonly string[]): number {
    this.hash(keys[1]!).delete(args[0]!);
    if (!this.hash(keys[0]!).delete(args[0]!)) return 0;
    this.#change(keys, args, undefined);
    return 1;
  }

  #scan(hash: Hash, cursor: string): [string, string[]] {
    if (!/^\d+$/.test(cursor)) throw new Error('ERR invalid cursor');
    const from = Number(cursor);
    const to = from + this.step;
    return [to < hash.size ? String(to) : '0', [...hash].slice(from, to).flat()];
  }

  /** The claims under a prefix, of which all keys of a call have to be. */
  #server(keys: readonly string[], replica: string, ids: readonly string[]): MemoryClaimServer {
    const prefix = keys[0]!.replace(/epoch$/, '');
    const expected = ['epoch', 'members', 'loads', `owned:${replica}`, ...ids.map((id) => `claim:${id}`)];
    if (keys.join() !== expected.map((key) => prefix + key).join()) throw new Error(`unexpected keys: ${keys.join()}`);
    const server = this.#claims.get(prefix) ?? new MemoryClaimServer({ clock: this.clock });
    this.#claims.set(prefix, server);
    return server;
  }

  #renew(keys: readonly string[], [replica, ttl, member, load, ...rest]: readonly string[]): string[][] {
    const held = groups(rest, 4).map(([id, token, hasNotes, notes]) => ({ id: id!, token: BigInt(token!), notes: notesOf(hasNotes, notes) }));
    const { renewed, lost, strays, members } = this.#server(keys, replica!, held.map(({ id }) => id))
      .renew({ replica: replica!, ttlMs: Number(ttl), member: yes(member), load: Number(load), held });
    return [[...renewed], [...lost], strays.flatMap(({ id, token }) => [id, String(token)]), members.flatMap((one) => [one.replica, String(one.load)])];
  }

  #claim(keys: readonly string[], [replica, ttl, limit, freeFor, ...ids]: readonly string[]): (string | null)[][] {
    const taken = this.#server(keys, replica!, ids).claim({ replica: replica!, ttlMs: Number(ttl), ids, limit: Number(limit), freeForMs: Number(freeFor) });
    return taken.map(({ id, token, notes }) => [id, String(token), notes ?? null]);
  }

  #release(keys: readonly string[], [replica, leave, channel, hint, ...rest]: readonly string[]): void {
    const claims = groups(rest, 7).map(([id, token, hasNotes, notes, to, notTo, forMs]) => {
      if (Number(to !== '') + Number(notTo !== '') !== Number(forMs !== '')) throw new Error('expected one to offer it to or to withhold it from, or none');
      const offer = to === '' ? { notTo: notTo!, forMs: Number(forMs) } : { to: to!, forMs: Number(forMs) };
      return { id: id!, token: BigInt(token!), notes: notesOf(hasNotes, notes), offer: forMs === '' ? undefined : offer };
    });
    const server = this.#server(keys, replica!, claims.map(({ id }) => id));
    const stop = server.watch(() => this.publish(channel!, hint!));
    server.release({ replica: replica!, claims, leave: yes(leave) });
    stop();
  }
}

class FakeSubscriber implements IoredisSubscriber {
  /** How many messages have arrived. */
  heard = 0;
  channels: readonly string[] = [];
  readonly #server: FakeRedis;
  readonly #listeners: [string, (...values: never[]) => void][] = [];

  constructor(server: FakeRedis) {
    this.#server = server;
    server.subscribers.add(this);
  }

  async subscribe(...channels: string[]): Promise<void> {
    this.channels = channels;
  }

  hear(channel: string, message: string): void {
    this.heard += 1;
    this.emit('message', channel, message);
  }

  on(event: string, listener: (...values: never[]) => void): void {
    this.#listeners.push([event, listener]);
  }

  emit(event: string, ...values: unknown[]): void {
    for (const [name, listener] of this.#listeners) if (name === event) listener(...values as never[]);
  }

  disconnect(): void {
    this.#server.subscribers.delete(this);
  }
}

/** As node-redis does it: connected by hand, and messages go to what was given when it subscribed. */
class FakeNodeSubscriber implements NodeRedisSubscriber {
  readonly #connection: FakeSubscriber;
  #isConnected = false;

  constructor(server: FakeRedis) {
    this.#connection = new FakeSubscriber(server);
  }

  async connect(): Promise<void> {
    this.#isConnected = true;
  }

  async subscribe(channels: string[], listener: (message: string, channel: string) => void): Promise<void> {
    if (!this.#isConnected) throw new Error('The client is closed');
    this.#connection.on('message', (channel: string, message: string) => listener(message, channel));
    await this.#connection.subscribe(...channels);
  }

  on(event: string, listener: (reason: unknown) => void): void {
    this.#connection.on(event, listener);
  }

  destroy(): void {
    this.#connection.disconnect();
  }
}

/** The two kinds of client. */
export const CLIENTS = {
  'ioredis': (server: FakeRedis): IoredisClient => ({
    hmget: async (key, ...fields) => server.hmget(key, fields),
    eval: async (script, keys, ...rest) => server.eval(script, rest.slice(0, keys), rest.slice(keys)),
    duplicate: () => new FakeSubscriber(server),
  }),
  'node-redis': (server: FakeRedis): NodeRedisClient => ({
    hmGet: async (key, fields) => server.hmget(key, fields),
    eval: async (script, options) => server.eval(script, options.keys, options.arguments),
    duplicate: () => new FakeNodeSubscriber(server),
  }),
};

const jsonOf = (row: string | undefined): string | undefined => row?.slice(row.indexOf(' ') + 1);

function yes(text: string | undefined): boolean {
  if (text !== '0' && text !== '1') throw new Error(`expected 0 or 1, got ${text}`);
  return text === '1';
}

function notesOf(has: string | undefined, notes: string | undefined): string | undefined {
  if (yes(has)) return notes;
  if (notes !== '') throw new Error('expected no notes');
  return undefined;
}

function groups(flat: readonly string[], size: number): string[][] {
  return Array.from({ length: flat.length / size }, (_, n) => flat.slice(n * size, (n + 1) * size));
}
