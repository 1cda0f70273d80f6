// One replica: a registry, a claim store on a real server, and a runner whose loops poll the provider.
import { Redis } from 'ioredis';
import { appendFileSync } from 'node:fs';
const T=()=>Number(process.hrtime.bigint())/1e6;
const trace=(what,more={})=>{buf.push(JSON.stringify({at:T(),r:config.name,what,...more}));if(!flushing){flushing=true;setImmediate(()=>{flushing=false;appendFileSync(process.env.TRACE,buf.join('\n')+'\n');buf=[];});}};
let buf=[],flushing=false;
import pg from 'pg';
import { config, ids, obey, pause, poll } from './polling.mjs';

const { ConnectionRegistry, ExclusiveRunner, MemoryStore, PostgresClaims, RedisClaims, systemClock } = await import(config.bundle);

let wallOffset = 0;
const clock = { now: () => systemClock.now() + wallOffset, monotonic: systemClock.monotonic, setTimeout: systemClock.setTimeout };
const timeout = Math.round(config.ttlMs / 3);

function postgres() {
  const settings = { connectionString: config.url, connectionTimeoutMillis: timeout, keepAlive: true };
  const client = new pg.Pool({ ...settings, max: 3, query_timeout: timeout });
  client.on('error', () => {});
  return new PostgresClaims({ client, listenClient: () => new pg.Client(settings), watch: { pingIntervalMs: config.ttlMs, timeoutMs: timeout, backoff: { initialMs: 50, maxMs: timeout } } });
}

function redis() {
  const client = new Redis(config.url, { commandTimeout: timeout, connectTimeout: timeout, maxRetriesPerRequest: null, retryStrategy: () => 50 });
  client.on('error', () => {});
  return new RedisClaims({ client, prefix: config.prefix, watch: { pingIntervalMs: config.ttlMs, timeoutMs: timeout, backoff: { initialMs: 50, maxMs: timeout } } });
}

const store = config.kind === 'postgres' ? postgres() : redis();
/** How many calls were sent, of each kind. */
const calls = { renew: 0, claim: 0, release: 0 };
const counted = (name) => async (request, options) => { calls[name] += 1; const sent=T(); trace(name+'>', {n: request.held?.length ?? request.claims?.length, limit: request.limit, leave: request.leave, load: request.load, freeForMs: request.freeForMs, to: name==='release'?[...new Set(request.claims.map(c=>c.offer?.to))]:undefined}); try { const a = await store[name](request, options); trace(name+'<', {ms: T()-sent, n: a?.length, ids: name==='claim'?a.map(c=>c.id):name==='release'?request.claims.map(c=>c.id):undefined, members: a?.members?.map(m=>m.replica.slice(0,3)+':'+m.load)}); return a; } catch (e) { trace(name+'!', {ms:T()-sent, e: String(e)}); throw e; } };
const claims = { renew: counted('renew'), claim: counted('claim'), release: counted('release'), watch: (listener) => store.watch((h) => { trace('hint',{from:h.from.slice(0,3),left:h.left}); listener(h); }) };

const records = new MemoryStore(ids.map((id) => ({ id })));
const registry = new ConnectionRegistry({ store: records, factory: { create: (record) => record.id }, maxInstances: ids.length + 1 });
const runner = new ExclusiveRunner({
  registry, claims, clock, ttlMs: config.ttlMs, replicaName: config.name, list: () => records.list(), listIntervalMs: config.ttlMs, maxConcurrentStarts: 64,
  async run({ id, token, signal, assertHeld }) {
    while (!signal.aborted) {
      assertHeld();
      poll(id, token);
      await pause(signal);
    }
  },
});
runner.on('started',({id,token})=>trace('started',{id,token:String(token)}));runner.on('ended',({id,reason})=>trace('ended',{id,reason}));
for (const event of ['claimsFailed', 'listFailed']) runner.on(event, () => {});
for (const event of ['startFailed', 'stopUnproven']) runner.on(event, ({ id, error }) => console.error(config.name, event, id, error));

obey({
  jump: (ms) => { wallOffset += ms; },
  stats: () => process.send({ answer: 'stats', calls, load: runner.snapshot().load }),
});
let due=T()+10;setInterval(()=>{const l=T()-due;if(l>40)trace('lag',{ms:l});due=T()+10;},10).unref();
process.once('SIGTERM', async () => {
  trace('SIGTERM');
  await runner.stop();
  trace('stopped'); setImmediate(()=>process.exit(0));
});
runner.start();
process.send({ answer: 'ready' });
