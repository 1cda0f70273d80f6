import { MemoryClaimServer } from 'hydrant/exclusive';
import { ManualClock } from 'hydrant/testing';
import { CLAIM, FIXED_KEYS, FORGET, RELEASE, RENEW } from '../../../src/stores/redis/claims-scripts.js';
import { MEMORY } from '../../../src/stores/redis/claims-scripts.js';
import { PING, SCOPE } from '../../../src/stores/redis/listening.js';
import { DELETE, PUT, SCAN, TOUCH } from '../../../src/stores/redis/scripts.js';
import type { FakeConnection } from './fake-redis-clients.js';

type Hash = Map<string, string>;

/**
 * Redis as far as the stores use it. It runs no Lua: the fake does in JavaScript what each script promises. The tests
 * on real servers prove the scripts.
 */
export class FakeRedis {
  /** The time that claims go by. */
  readonly clock = new ManualClock();
  readonly hashes = new Map<string, Hash>();
  readonly counters = new Map<string, number>();
  readonly scopes = new Map<string, string>();
  /** Connections that hydrant opened and has not ended. */
  readonly connections = new Set<FakeConnection>();
  readonly #claims = new Map<string, MemoryClaimServer>();
  /** Every command, with its keys and its other arguments. */
  readonly sent: { readonly script: string; readonly keys: readonly string[]; readonly args: readonly string[] }[] = [];
  /** How many entries a step of SCAN returns. */
  step = 2;
  /** The answer to INFO. */
  memory = 'maxmemory:0\r\nmaxmemory_policy:noeviction\r\n';
  forgetAfterMs = 1e9;

  hash(key: string): Hash {
    return this.hashes.get(key) ?? this.hashes.set(key, new Map()).get(key)!;
  }

  /** Connections that listen. */
  get subscribers(): FakeConnection[] {
    return [...this.connections].filter(({ channels }) => channels.length > 0);
  }

  /** Commands other than those that listen. */
  get commands(): typeof this.sent {
    return this.sent.filter(({ script }) => script !== SCOPE && script !== PING);
  }

  claimRows(prefix = '{hydrant}:claims:'): number {
    return this.#claims.get(prefix)?.rows ?? 0;
  }

  hmget(key: string, fields: readonly string[]): (string | null)[] {
    if (fields.length === 0) throw new Error(`ERR wrong number of arguments for 'hmget' command`);
    this.sent.push({ script: 'hmget', keys: [key], args: fields });
    return fields.map((field) => this.hash(key).get(field) ?? null);
  }

  publish(channel: string, message: string): void {
    for (const connection of this.connections) if (connection.channels.includes(channel)) connection.hear(channel, message);
  }

  eval(script: string, keys: readonly string[], args: readonly string[]): unknown {
    if ([...keys, ...args].some((value) => typeof value !== 'string')) throw new TypeError('expected text alone');
    this.sent.push({ script, keys, args });
    switch (script) {
      case PUT:
        return this.#put(keys, args);
      case TOUCH:
        return this.#touch(keys, args);
      case DELETE:
        return this.#delete(keys, args);
      case SCAN:
        return this.#scan(this.hash(keys[0]!), args[0]!);
      case SCOPE:
        return this.#scope(keys[0]!, args[0]!);
      case PING:
        return this.publish(
          args[0]!,
          JSON.stringify([this.scopes.get(keys[0]!) ?? '-', String(this.counters.get(keys[1]!) ?? 0)]),
        );
      case RENEW:
        return this.#renew(keys, args);
      case CLAIM:
        return this.#claim(keys, args);
      case RELEASE:
        return this.#release(keys, args);
      case FORGET:
        throw new Error('the fake forgets by itself');
      case MEMORY:
        return this.memory;
      default:
        throw new Error(`unexpected script: ${script}`);
    }
  }

  #scope(key: string, candidate: string): string {
    return this.scopes.get(key) ?? this.scopes.set(key, candidate).get(key)!;
  }

  #count(key: string): number {
    const number = (this.counters.get(key) ?? 0) + 1;
    this.counters.set(key, number);
    return number;
  }

  #change(
    [records, versions, counter, scope]: readonly string[],
    [id, channel, random]: readonly string[],
    json: string | undefined,
  ): void {
    const number = this.#count(counter!);
    if (json !== undefined) {
      this.hash(records!).set(id!, `${number}-${random} ${json}`);
      this.hash(versions!).set(id!, `${number}-${random}`);
    }
    this.publish(`${channel}:${this.#scope(scope!, random!)}`, JSON.stringify([String(number), id]));
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

  /** The claims under a prefix, which all keys of a call must have, and the ids of the call. */
  #server(keys: readonly string[], replica: string): { server: MemoryClaimServer; ids: string[] } {
    const prefix = keys[0]!.replace(/epoch$/, '');
    const expected = ['epoch', 'members', 'loads', `owned:${replica}`, 'seen', 'scope', 'hints'].map((key) => prefix + key);
    const rows = keys.slice(FIXED_KEYS);
    if (keys.slice(0, FIXED_KEYS).join() !== expected.join()) throw new Error(`unexpected keys: ${keys.join()}`);
    if (!rows.every((key) => key.startsWith(`${prefix}claim:`))) throw new Error(`unexpected keys: ${rows.join()}`);
    const server = this.#claims.get(prefix) ?? new MemoryClaimServer({ clock: this.clock, forgetAfterMs: this.forgetAfterMs });
    this.#claims.set(prefix, server);
    return { server, ids: rows.map((key) => key.slice(prefix.length + 'claim:'.length)) };
  }

  #renew(keys: readonly string[], [replica, ttl, before, member, load, , ...rest]: readonly string[]): unknown[] {
    const { server, ids } = this.#server(keys, replica!);
    const notes = new Map(groups(rest.slice(ids.length), 2).map(([n, text]) => [ids[Number(n) - 1], text]));
    const held = ids.map((id, n) => ({ id, token: BigInt(rest[n]!), notes: notes.get(id) }));
    const isLast = before !== '';
    const request = { replica: replica!, ttlMs: Number(ttl), load: Number(load), held };
    const { lost, strays, members } = server.renew({ ...request, member: isLast && yes(member) });
    const numbers = lost.map((id) => ids.indexOf(id) + 1);
    if (!isLast) return [numbers, []];
    // The server tells of everything it owns beyond this chunk. With as many as were renewed before, there is no more.
    const owned = strays.length === Number(before) ? [] : strays;
    return [
      numbers,
      [],
      members.flatMap((one) => [one.replica, String(one.load)]),
      owned.flatMap(({ id, token }) => [id, String(token)]),
      [],
    ];
  }

  #claim(keys: readonly string[], [replica, ttl, limit, freeFor]: readonly string[]): (string | null)[][] {
    const { server, ids } = this.#server(keys, replica!);
    const taken = server.claim({ replica: replica!, ttlMs: Number(ttl), ids, limit: Number(limit), freeForMs: Number(freeFor) });
    return taken.map(({ id, token, notes }) => [id, String(token), notes ?? null]);
  }

  #release(keys: readonly string[], [replica, none, leave, channel, scope, hint, ...rest]: readonly string[]): void {
    if (none !== '0') throw new Error(`expected no ttl, got ${none}`);
    const { server, ids } = this.#server(keys, replica!);
    const claims = groups(rest, 6).map(([token, hasNotes, notes, to, notTo, forMs], n) => {
      if (Number(to !== '') + Number(notTo !== '') !== Number(forMs !== '')) {
        throw new Error('expected one to offer it to or to withhold it from, or none');
      }
      const offer = to === '' ? { notTo: notTo!, forMs: Number(forMs) } : { to: to!, forMs: Number(forMs) };
      return { id: ids[n]!, token: BigInt(token!), notes: notesOf(hasNotes, notes), offer: forMs === '' ? undefined : offer };
    });
    const stop = server.watch(() => {
      const entries = [String(this.#count(keys[6]!)), ...(JSON.parse(hint!) as string[])];
      this.publish(`${channel}:${this.#scope(keys[5]!, scope!)}`, JSON.stringify(entries));
    });
    server.release({ replica: replica!, claims, leave: yes(leave) });
    stop();
  }
}

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
