import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  PostgresClaims,
  PostgresStore,
  type PostgresClient,
  type PostgresListenClient,
  type PostgresVersions,
} from 'hydrant/postgres';
import { claimConformance, type StoreCapabilities } from 'hydrant/testing';
import { beforeAll, beforeEach, describe, test } from 'vitest';
import { conformance } from './cases.js';

interface Subject {
  readonly name: string;
  readonly engine: string;
  readonly client: PostgresClient;
  /** A client by which the tests write and look besides. */
  readonly pool: { query(text: string, values?: unknown[]): Promise<unknown> };
  readonly listenClient?: () => PostgresListenClient;
  readonly interrupt?: () => Promise<unknown>;
}

interface Bot { readonly token: string }

const configOf = (record: unknown): string => (record as Bot).token;

/** The full run has every kind of version, and claims; the short one has what differs most. */
const isShort = process.env['SHORT'] === '1';

/** `PostgresStore` with every kind of version, and `PostgresClaims`, through one client. */
export function postgresStoreCases(subject: Subject): void {
  ownTable(subject);
  mapped(subject, 'table', { touch: true });
  if (!isShort) mapped(subject, 'hash', {});
  if (!isShort) mapped(subject, { column: 'rev' }, { counter: true });
  if (!isShort) claims(subject);
}

function listening({ listenClient, interrupt }: Subject): { readonly options: object; readonly capabilities: StoreCapabilities } {
  if (listenClient === undefined) return { options: {}, capabilities: {} };
  return {
    options: { listenClient, watch: { backoff: { initialMs: 20, maxMs: 200 } } },
    capabilities: { watch: true, interruption: interrupt !== undefined },
  };
}

function ownTable(subject: Subject): void {
  const { name, engine, client, pool, interrupt } = subject;
  const { options, capabilities } = listening(subject);
  conformance({ client: name, engine, store: 'PostgresStore', version: 'own table' }, async () => {
    const store = new PostgresStore<Bot>({ client, ...options });
    await store.migrate();
    await pool.query('delete from hydrant_connections');
    return {
      store,
      write: (id, { status, config }) => store.put({ id, status, token: config }),
      remove: (id) => store.delete(id),
      configOf,
      writeInvalid: (id) =>
        pool.query(
          `insert into hydrant_connections (id, data) values ($1, '["secret"]') on conflict (id) do update
            set data = excluded.data`,
          [id],
        ),
      touch: (id) => store.touch(id),
      ...(interrupt && { interrupt }),
    };
  }, { getMany: true, getVersions: true, invalidRows: true, touch: true, ...capabilities });
}

function mapped(subject: Subject, versions: PostgresVersions, more: StoreCapabilities): void {
  const { name, engine, client, pool, interrupt } = subject;
  const kind = typeof versions === 'string' ? versions : 'column';
  const table = `bots_${kind}`;
  const { options, capabilities } = kind === 'table' ? listening(subject) : { options: {}, capabilities: {} };
  conformance({ client: name, engine, store: 'PostgresStore', version: kind === 'column' ? 'a column' : kind }, async () => {
    await pool.query(`create table if not exists ${table} (like bots including all)`);
    const store = new PostgresStore<Bot>({
      client,
      table,
      versions,
      ...options,
      columns: { config: ['token'] },
      stopped: 'paused_at is not null',
      mapRow: ({ token }) => {
        if (token === '') throw new TypeError('no token');
        return { token: String(token) };
      },
      toRow: ({ token, status }) => ({
        token,
        paused_at: status === 'active' ? null : new Date(0).toISOString(),
        rev: randomUUID(),
      }),
    });
    await store.migrate();
    await pool.query(`delete from ${table}`);
    return {
      store,
      write: (id, { status, config }) => store.put({ id, status, token: config }),
      remove: (id) => store.delete(id),
      configOf,
      writeInvalid: (id) =>
        pool.query(
          `insert into ${table} (id, token, rev) values ($1, '', $2) on conflict (id) do update
            set token = '', rev = excluded.rev`,
          [id, randomUUID()],
        ),
      bookkeep: (id) => pool.query(`update ${table} set last_error = 'timed out' where id = $1`, [id]),
      touch: (id) => store.touch(id),
      ...(interrupt && { interrupt }),
    };
  }, { getMany: true, getVersions: true, invalidRows: true, bookkeeping: true, ...more, ...capabilities });
}

function claims({ name, engine, client, pool, listenClient }: Subject): void {
  describe([name, engine, 'PostgresClaims', 'fencing tokens'].join(' | '), () => {
    const make = (): PostgresClaims => new PostgresClaims({ client, ...(listenClient && { listenClient }) });
    beforeAll(() => make().migrate());
    beforeEach(() => pool.query('truncate hydrant_claims, hydrant_claims_replicas'));
    claimConformance({ describe, it: test }, () => ({ claims: make(), others: make(), wait: (ms) => sleep(ms) }),
      { watch: listenClient !== undefined, ttlMs: 400 });
  });
}
