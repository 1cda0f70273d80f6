import { Plant } from './plant.js';

export interface Sample { readonly at: number; readonly heapMiB: number; readonly live: number; readonly timers: number }
export interface Report {
  readonly created: number; readonly disposed: number; readonly peak: number; readonly seconds: number;
  readonly samples: readonly Sample[]; readonly heapGrowthMiB: number;
  /** The growth of the heap from the beginning to the end, before `close`. */
  readonly heldMiB: number; readonly timersLeft: number; readonly wrongs: readonly string[];
}

/** Times at which the books are compared and the heap is looked at. */
const CHECKS = 20;

const collect = (globalThis as { gc?: () => void }).gc;

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Timers that keep the process alive. */
const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** So many connections, one use each, through `maxInstances: 1000`, a hundred at a time. */
export async function churn(connections: number): Promise<Report> {
  const plant = new Plant({ maxInstances: 1_000, maxConcurrentHydrations: 100, sweepIntervalMs: 0 });
  return observed(plant, connections, CHECKS, async (from, to) => {
    for (let base = from; base < to; base += 100) {
      const ids = Array.from({ length: Math.min(100, to - base) }, (_, index) => `c${base + index}`);
      await Promise.all(ids.map(async (id) => {
        await plant.rows.put({ id });
        await plant.registry.use(id, (instance) => plant.check(instance));
        await plant.rows.delete(id);
      }));
    }
  });
}

/** So many operations of every kind on more connections than fit, over and over for so many minutes. */
export async function mixed(operations: number, minutes: number): Promise<Report> {
  const plant = new Plant({
    maxInstances: 1_000,
    freshness: { maxStaleMs: 20 },
    idleTimeoutMs: 500,
    sweepIntervalMs: 200,
    notFoundTtlMs: 50,
    acquireTimeoutMs: 5_000,
    failureBackoff: { initialMs: 5, maxMs: 50 },
    maxConcurrentHydrations: 32,
  });
  plant.failEvery = 101;
  plant.failReadEvery = 503;
  for (let index = 0; index < 3_000; index++) await plant.rows.put({ id: `c${index}` });
  return observed(plant, operations, CHECKS, async (from, to) => {
    const end = performance.now() + minutes * 60_000 / CHECKS;
    do {
      for (let base = from; base < to; base += 100) {
        await Promise.all(Array.from({ length: Math.min(100, to - base) }, () => operation(plant).catch(plant.expected)));
      }
    } while (performance.now() < end);
  });
}

/** So many requests of senders without a signature, of every kind they may think of. */
export async function strangers(requests: number): Promise<Report> {
  const plant = new Plant({ webhook: { maxBodyBytes: 1_000 } });
  for (let index = 0; index < 1_000; index++) await plant.rows.put({ id: `c${index}` });
  return observed(plant, requests, CHECKS, async (from, to) => {
    for (let base = from; base < to; base += 100) {
      await Promise.all(Array.from({ length: Math.min(100, to - base) }, (_, index) => strange(plant, base + index)));
    }
  });
}

async function strange({ registry, wrongs }: Plant, count: number): Promise<void> {
  const [id, body] = [
    [`u${count}`.padEnd(128, 'x'), 'x'],
    [`c${count % 1_000}`, 'x'],
    [`c${count % 1_000}`, 'x'.repeat(2_000)],
    [`../${count}`, 'x'],
  ][count % 4] as [string, string];
  const { status } = await registry.handleWebhook(
    id,
    new Request('http://gateway.test/', { method: 'POST', body, headers: { 'x-signature': 'bad' } }),
  );
  if (status !== [404, 401, 413, 404][count % 4]) wrongs.push(`${id.slice(0, 20)} was answered with ${status}`);
}

async function operation(plant: Plant): Promise<void> {
  const { registry, rows } = plant;
  const id = `c${Math.floor(Math.random() * (Math.random() < 0.5 ? 50 : 3_000))}`;
  const choice = Math.random();
  if (choice < 0.35) await registry.use(id, (instance) => plant.check(instance));
  else if (choice < 0.5)
    await registry.use(
      id,
      async (instance) => {
        await turn();
        plant.check(instance);
      },
      { freshness: 'strict' },
    );
  else if (choice < 0.6) {
    const lease = await registry.acquire(id);
    await turn();
    plant.check(lease.instance);
    if (Math.random() < 0.05) lease.retire();
    lease.release();
  } else if (choice < 0.65) {
    const controller = new AbortController();
    const use = registry.use(id, () => {}, { signal: controller.signal, freshness: 'strict' });
    controller.abort(new Error('left'));
    await use;
  } else if (choice < 0.7) await rows.put({ id });
  else if (choice < 0.72) await rows.put({ id, status: 'stopped' } as never);
  else if (choice < 0.74) await rows.delete(id);
  else if (choice < 0.78) registry.invalidate(id);
  else if (choice < 0.83) await registry.use(`unknown-${Math.random()}`, () => {});
  else {
    const kind = choice < 0.9 ? 'text' : choice < 0.95 ? 'stream' : 'background';
    const request = new Request('http://gateway.test/', {
      method: 'POST',
      body: 'x',
      headers: { 'x-kind': kind, 'x-signature': Math.random() < 0.2 ? 'bad' : 'good' },
    });
    const response = await registry.handleWebhook(id, request);
    if (Math.random() < 0.1) await response.body?.cancel();
    else await response.text();
  }
}

async function observed(
  plant: Plant,
  count: number,
  checks: number,
  work: (from: number, to: number) => Promise<void>,
): Promise<Report> {
  collect?.();
  const before = process.memoryUsage().heapUsed / 2 ** 20;
  const began = performance.now();
  const samples: Sample[] = [];
  const step = Math.ceil(count / checks);
  for (let from = 0; from < count; from += step) {
    await work(from, Math.min(count, from + step));
    await plant.balance();
    collect?.();
    samples.push({
      at: Math.min(count, from + step),
      heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
      live: plant.registry.snapshot().live,
      timers: timers(),
    });
  }
  await plant.registry.close();
  // Deadlines share timers, which are given up a turn after the last of them was cancelled.
  await turn();
  await turn();
  if (plant.created !== plant.disposed) plant.wrongs.push(`after close: created ${plant.created}, disposed ${plant.disposed}`);
  const third = Math.max(1, Math.floor(samples.length / 3));
  const median = (part: readonly Sample[]): number =>
    part.map(({ heapMiB }) => heapMiB).toSorted((a, b) => a - b)[Math.floor(part.length / 2)] ?? 0;
  return {
    created: plant.created,
    disposed: plant.disposed,
    peak: plant.peak,
    seconds: (performance.now() - began) / 1_000,
    samples,
    // Tables fill up to their bounds in the first third.
    heapGrowthMiB: median(samples.slice(-third)) - median(samples.slice(third, 2 * third)),
    heldMiB: (samples.at(-1)?.heapMiB ?? before) - before,
    timersLeft: timers(),
    wrongs: [...new Set(plant.wrongs)].slice(0, 10),
  };
}
