import { randomFrom, type Random } from './random.js';
import type { Behaviour, Handling, Operation, Plans, Program, ReadBehaviour, Settings, Step, Verdict, Work } from './program.js';

/** The program of a seed. */
export function generate(seed: number, kind: 'uses' | 'webhooks'): Program {
  const random = randomFrom(kind === 'uses' ? seed : seed ^ 0x5bd1e995);
  const settings = drawSettings(random, kind === 'webhooks');
  const plans = drawPlans(random, settings);
  const steps = drawSteps(random, settings, kind);
  const ending = random.chance(0.6) ? 'prompt' : 'stubborn';
  return { seed, settings: { ...settings, ...drawPlaces(random) }, plans, steps, ending };
}

/** Usual, because a delivery that is refused when it comes reaches nothing else. */
const MANY_PLACES = { maxUnauthenticated: 20, answersLater: false };

const drawPlaces = (random: Random): typeof MANY_PLACES => ({
  maxUnauthenticated: random.chance(0.3) ? random.pick([1, 2, 3]) : MANY_PLACES.maxUnauthenticated,
  answersLater: random.chance(0.2),
});

function drawSettings(random: Random, webhooks: boolean): Settings {
  // So many that the cap on reads is reached. Few programs are like this, because they reach no other depths.
  const ids = random.chance(0.03) ? 40 : random.pick([1, 1, 2, 2, 3, 4]);
  const replacement = random.chance(0.3) ? 'drain-first' : 'overlap';
  const backoffInitialMs = random.pick([0, 0, 10, 40]);
  const brokenRows = random.pick(['unreadable', 'schema', 'schemaLater', 'platform'] as const);
  return {
    ids,
    existing: random.below(ids + 1),
    versions: random.pick(['number', 'string', 'bigint']),
    versionOf: random.chance(0.25) ? 'contents' : 'counter',
    brokenRows,
    freshness: random.chance(0.6) ? 'strict' : random.pick([0, 20, 100]),
    staleIfErrorMs: random.pick([0, 0, 0, 30, 200]),
    storeTimeoutMs: random.pick([30, 100, 500]),
    acquireTimeoutMs: random.pick([40, 200, 1_000, 5_000]),
    maxInstances: random.pick([1, 1, 2, 3, 100]),
    idleTimeoutMs: random.pick([25, 150, 10_000, Number.POSITIVE_INFINITY]),
    maxConcurrentHydrations: random.pick([1, 1, 2, 16]),
    maxQueuedHydrations: random.pick([0, 1, 2, 1000]),
    hydrationTimeoutMs: random.pick([50, 150, 1_000]),
    disposeTimeoutMs: random.pick([20, 100]),
    drainTimeoutMs: random.pick([30, 120, 5_000]),
    sweepIntervalMs: random.pick([0, 60, 250]),
    backoffInitialMs,
    backoffMaxMs: backoffInitialMs * random.pick([1, 4]),
    notFoundTtlMs: random.pick([0, 25, 150]),
    replacement,
    keepLastGood: replacement === 'overlap' && random.chance(0.25),
    closeDrainMs: random.pick([0, 40, 300]),
    ...MANY_PLACES,
    around: random.chance(0.5),
    store: { getMany: random.chance(0.5), getVersions: random.chance(0.5), watch: random.chance(0.4) },
    factory: {
      secrets: random.chance(0.4),
      dispose: random.chance(0.9),
      touchSignal: random.pick([0, 0.5, 1]),
      webhooks: webhooks ? random.pick(['in-handler', 'authenticated', 'authenticated']) : 'none',
      acknowledgeAfterMs: webhooks && random.chance(0.3) ? random.pick([10, 60]) : undefined,
      maxConcurrentHydrations: random.chance(0.2) ? 1 : undefined,
      platforms: brokenRows === 'platform' || random.chance(0.2) ? 2 : 1,
    },
    eviction: random.pick(['lru', 'lru', 'sieve']),
  };
}

function drawPlans(random: Random, settings: Settings): Plans {
  const list = <T extends string>(weights: Readonly<Partial<Record<T, number>>>): T[] =>
    Array.from({ length: random.pick([1, 3, 7]) }, () => random.weighted<T>(weights));
  // Faults come in moods: a program in which nothing fails reaches deeper states than one in which everything does.
  const faults = random.pick([0, 0, 0.5, 1.5]);
  const call: Record<Behaviour, number> = {
    later: 6,
    soon: 2,
    now: 2,
    obey: 3,
    hang: 0.6 * faults,
    fail: faults,
    throw: 0.5 * faults,
    refuse: 0,
  };
  // Only these two may fail for good.
  const hydrating: Record<Behaviour, number> = { ...call, refuse: 0.4 * faults };
  const read: Record<ReadBehaviour, number> = {
    atSend: 4,
    atAnswer: 3,
    between: 2,
    soon: 4,
    hang: 0.4 * faults,
    fail: 0.6 * faults,
    throw: 0.2 * faults,
  };
  const verdict: Record<Verdict, number> = { yes: 6, no: 2, response: 1, throw: 0.7, yesLater: 3, noLater: 1 };
  const handling: Record<Handling, number> = {
    text: 3,
    textLater: 3,
    stream: 2,
    streamLater: 2,
    readyStream: 1,
    empty: 1,
    throw: 0.5 * faults,
    failLater: 0.5 * faults,
    waitUntil: 2,
    waitUntilStream: 1,
  };
  return {
    read: isWide(settings) && random.chance(0.5) ? silence(random) : list(read),
    create: list(hydrating),
    dispose: list(call),
    cleanUp: list(call),
    secrets: list(hydrating),
    watch: list(call),
    authenticate: list(verdict),
    handler: list(handling),
  };
}

const isWide = ({ ids }: Settings): boolean => ids > 4;

/** A store that answers some reads and then falls silent. Some of the silent reads may still be answered late. */
const silence = (random: Random): ReadBehaviour[] => [
  ...Array.from({ length: random.pick([0, 3, 30]) }, () => 'atSend' as const),
  ...Array.from({ length: 60 }, () => (random.chance(0.15) ? 'atAnswer' : 'hang')),
];

type Kind = Operation['do'];

/** Drawn anew for each program (swarm testing): leaving kinds out altogether finds what an even mixture hides. */
function drawWeights(random: Random, settings: Settings, kind: 'uses' | 'webhooks'): Partial<Record<Kind, number>> {
  const maybe = (weight: number): number => (random.chance(0.4) ? 0 : weight * (0.3 + random.next()));
  const hooks = kind === 'webhooks';
  return {
    use: hooks ? maybe(2) : 5 * (0.3 + random.next()),
    acquire: maybe(4),
    tryAcquire: maybe(1),
    release: 3,
    retireLease: maybe(0.8),
    retireInstance: maybe(1),
    abort: maybe(2.5),
    edit: maybe(2.5),
    stop: maybe(1),
    delete: maybe(1),
    breakRow: maybe(0.8),
    invalidate: maybe(1.5),
    hint: settings.store.watch ? maybe(1) : 0,
    gap: settings.store.watch ? maybe(0.5) : 0,
    settle: 9,
    advance: maybe(3),
    nextTimer: maybe(2),
    calm: maybe(0.3),
    close: 0.08,
    useAll: isWide(settings) ? 3 : 0,
    webhook: hooks ? 6 : 0,
    disconnect: hooks ? maybe(1) : 0,
    cancelBody: hooks ? maybe(1) : 0,
  };
}

function drawSteps(random: Random, settings: Settings, kind: 'uses' | 'webhooks'): Step[] {
  const weights = drawWeights(random, settings, kind);
  const failing = random.pick([0, 0.1, 0.4]);
  const eager = random.pick([0.3, 0.7, 0.95]);
  const length = random.pick([8, 20, 40, 80]);
  const steps: Step[] = [];
  for (let index = 0; index < length; index++) {
    const op = drawOperation(random, random.weighted(weights), settings, failing);
    steps.push({ op, hops: random.chance(eager) ? 'all' : random.below(7) });
  }
  return steps;
}

function drawOperation(random: Random, kind: Kind, settings: Settings, failing: number): Operation {
  const id = random.below(settings.ids);
  const pick = random.below(1_000);
  const timeoutMs = random.chance(0.2) ? random.pick([0, 10, 60, 400, Number.POSITIVE_INFINITY]) : undefined;
  const freshness = random.chance(0.2) ? random.pick(['strict', 0, 20, 100] as const) : undefined;
  const signal = random.chance(0.5);
  switch (kind) {
    case 'use':
      return {
        do: kind,
        id,
        work: random.weighted<Work>({ now: 4, throw: 0.5, later: 5, nested: 1, retire: 0.5 }),
        nested: random.below(settings.ids),
        timeoutMs,
        freshness,
        signal,
      };
    case 'acquire':
      return { do: kind, id, timeoutMs, freshness, signal };
    case 'tryAcquire':
    case 'edit':
    case 'stop':
    case 'delete':
    case 'breakRow':
    case 'invalidate':
    case 'hint':
      return { do: kind, id };
    case 'release':
    case 'retireLease':
    case 'retireInstance':
    case 'abort':
    case 'disconnect':
    case 'cancelBody':
      return { do: kind, pick };
    case 'settle':
      return { do: kind, pick, fail: random.chance(failing) };
    case 'advance':
      return { do: kind, ms: random.pick([1, 5, 10, 20, 50, 100]), blocked: random.chance(0.2) };
    case 'calm':
      return { do: kind, ms: random.pick([0, 100, 600]) };
    case 'webhook':
      return {
        do: kind,
        id,
        client: random.pick(['read', 'status', 'slow']),
        host: random.chance(0.5),
        bodyKiB: random.pick([0, 0, 1, 3]),
      };
    case 'gap':
    case 'useAll':
    case 'nextTimer':
    case 'close':
      return { do: kind };
  }
}
