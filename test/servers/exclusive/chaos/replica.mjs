// One replica: a registry, a claim store on a real server, and a runner whose loops poll the provider.
import { claimStore } from './clients.mjs';
import { config, ids, obey, pause, poll } from './polling.mjs';

const hydrant = await import(config.bundle);
const { ConnectionRegistry, ExclusiveRunner, MemoryStore, systemClock } = hydrant;

let wallOffset = 0;
const clock = { now: () => systemClock.now() + wallOffset, monotonic: systemClock.monotonic, setTimeout: systemClock.setTimeout };

/** Whether hints arrive. Each opening of the subscription begins with a hint that some may have been missed. */
let hearing = false;
const store = await claimStore(config, hydrant, () => { hearing = false; });
/** How many calls were sent, of each kind, and how many were answered. */
const calls = { renew: 0, claim: 0, release: 0 };
let answered = 0;
const counted = (name) => async (request, options) => {
  calls[name] += 1;
  const answer = await store[name](request, options);
  answered += 1;
  return answer;
};
const claims = {
  renew: counted('renew'),
  claim: counted('claim'),
  release: counted('release'),
  watch: (listener) => store.watch((hint) => {
    hearing = true;
    listener(hint);
  }),
};

const records = new MemoryStore(ids.map((id) => ({ id })));
const registry = new ConnectionRegistry({
  store: records,
  factory: { create: (record) => record.id },
  maxInstances: ids.length + 1,
});
const runner = new ExclusiveRunner({
  registry,
  claims,
  clock,
  ttlMs: config.ttlMs,
  replicaName: config.name,
  list: () => records.list(),
  listIntervalMs: config.ttlMs,
  maxConcurrentStarts: 64,
  async run({ id, token, signal, assertHeld }) {
    while (!signal.aborted) {
      assertHeld();
      poll(id, token);
      await pause(signal);
    }
  },
});
for (const event of ['claimsFailed', 'listFailed']) runner.on(event, () => {});
for (const event of ['startFailed', 'stopUnproven'])
  runner.on(event, ({ id, error }) => console.error(config.name, event, id, error));

obey({
  jump: (ms) => { wallOffset += ms; },
  stats: () => process.send({ answer: 'stats', calls, answered, hearing, load: runner.snapshot().load }),
});
process.once('SIGTERM', async () => {
  await runner.stop();
  process.exit(0);
});
runner.start();
process.send({ answer: 'ready' });
