// The plain heartbeat loop that people write: a lease row, a timer that extends it, errors that are logged. It stands
// in for the negative control: the harness must find its stale polls.
import { Redis } from 'ioredis';
import pg from 'pg';
import { config, ids, obey, pause, poll } from './polling.mjs';

const me = `${config.name}-${process.pid}`;
const owned = new Map();

const backends = {
  postgres() {
    const pool = new pg.Pool({ connectionString: config.url, max: 3, connectionTimeoutMillis: 1_000, query_timeout: 1_000 });
    pool.on('error', () => {});
    return {
      async extend() {
        const { rows } = await pool.query(
          `update naive_leases set expires_at = now() + $2 * interval '1 millisecond' where owner = $1
            and id = any($3) returning id`,
          [me, config.ttlMs, [...owned.keys()]],
        );
        return rows.map(({ id }) => id);
      },
      async acquire(limit) {
        const { rows } = await pool.query(
          `update naive_leases set owner = $1, token = nextval('naive_tokens'), expires_at = now() + $2 * interval '1 millisecond'
            where id in (select id from naive_leases where expires_at < now()
            limit $3 for update skip locked) returning id, token`,
          [me, config.ttlMs, limit],
        );
        return rows;
      },
    };
  },
  redis() {
    const client = new Redis(config.url, { commandTimeout: 1_000, maxRetriesPerRequest: null, retryStrategy: () => 50 });
    client.on('error', () => {});
    return {
      async extend() {
        const held = await Promise.all(
          [...owned.keys()].map(async (id) => [id, await client.get(`${config.prefix}naive:${id}`)]),
        );
        const mine = held.filter(([, owner]) => owner === me).map(([id]) => id);
        await Promise.all(mine.map((id) => client.pexpire(`${config.prefix}naive:${id}`, config.ttlMs)));
        return mine;
      },
      async acquire(limit) {
        const taken = [];
        for (const id of ids) {
          if (taken.length >= limit) break;
          if (owned.has(id) || await client.set(`${config.prefix}naive:${id}`, me, 'PX', config.ttlMs, 'NX') === null) continue;
          taken.push({ id, token: await client.incr(`${config.prefix}naive:token`) });
        }
        return taken;
      },
    };
  },
};
const backend = backends[config.kind === 'postgres' ? 'postgres' : 'redis']();

async function serve(id, token) {
  while (owned.get(id) === token) {
    poll(id, token);
    await pause();
  }
}

async function heartbeat() {
  try {
    const kept = new Set(await backend.extend());
    for (const id of owned.keys()) if (!kept.has(id)) owned.delete(id);
    const share = Math.ceil(ids.length / config.replicas) * 2;
    if (owned.size >= share) return;
    for (const { id, token } of await backend.acquire(share - owned.size)) {
      owned.set(id, token);
      void serve(id, token);
    }
  } catch {
    // "The database is down; the next heartbeat will do."
  }
}

setInterval(heartbeat, config.ttlMs / 3);
void heartbeat();
obey({ jump() {}, stats: () => process.send({ answer: 'stats', calls: {}, load: owned.size }) });
process.once('SIGTERM', () => process.exit(0));
process.send({ answer: 'ready' });
