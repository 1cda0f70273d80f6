// The actions of the harness on the servers themselves.
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** Prepares an empty database, or keys of its own, and gives back what the harness needs of an administrator. */
export async function administer(kind, url, bundle) {
  return kind === 'postgres' ? postgres(url, bundle) : redis(url);
}

async function postgres(url, bundle) {
  const { PostgresClaims } = await import(bundle.url);
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  await new PostgresClaims({ client }).migrate();
  return {
    url,
    prefix: '',
    terminateConnections: () =>
      client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      ),
    async prepareNaive(connections) {
      await client.query(`
        create table naive_leases (id text primary key, owner text, token bigint not null default 0,
        expires_at timestamptz not null default '-infinity');
        create sequence naive_tokens;
        insert into naive_leases (id) select 'c' || n from generate_series(0, ${connections - 1}) n`);
    },
    close: () => client.end(),
  };
}

async function redis(url) {
  const client = new Redis(url);
  const prefix = `{chaos-${randomBytes(4).toString('hex')}}:`;
  return {
    url, prefix,
    async terminateConnections() {
      for (const type of ['normal', 'pubsub']) await client.call('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes');
    },
    async prepareNaive() {},
    async close() {
      const keys = await client.keys(`${prefix.replace(/[{}[\]]/g, '\\$&')}*`);
      if (keys.length > 0) await client.unlink(...keys);
      client.disconnect();
    },
  };
}
