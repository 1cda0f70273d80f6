import type { Clock } from '../clock.js';
import type { RegistryEvents } from '../events.js';
import { onlooker } from '../onlooker.js';

/** The part of a registry whose events are kept. */
export interface Told {
  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void;
}

/** The last failure of a connection whose last hydrate failed. */
export interface Failure { readonly version: string; readonly code: string; readonly failures: number; readonly retryAt: number }

/** One column of the chart. Durations are in milliseconds, and absent where nothing was hydrated. */
export interface LatencyColumn {
  readonly count: number;
  readonly failures: number;
  readonly p50Ms?: number;
  readonly p95Ms?: number;
}

interface Bucket { readonly since: number; readonly durations: number[]; count: number; failures: number }

/** The chart covers ten minutes: 60 columns of 10 s. */
export const COLUMN_MS = 10_000;
export const COLUMNS = 60;
/** Connections whose failure is remembered, and durations kept per column. */
const MAX_FAILURES = 10_000;
const MAX_DURATIONS = 500;

/** The recent events of a registry, which keeps no history of its own. Bounded, and without record contents. */
export class History {
  /** By id. The oldest goes when there are too many. */
  readonly failures = new Map<string, Failure>();
  readonly #clock: Clock;
  readonly #buckets: Bucket[] = [];
  readonly #ends: (() => void)[];

  constructor(registry: Told, clock: Clock) {
    this.#clock = clock;
    this.#ends = [
      registry.on('hydrated', ({ id, durationMs }) => {
        this.failures.delete(id);
        const bucket = this.#bucket();
        bucket.count += 1;
        if (bucket.durations.length < MAX_DURATIONS) bucket.durations.push(durationMs);
      }),
      registry.on('hydrationFailed', onlooker(({ id, version, error, failures, retryAfterMs }) => {
        this.#bucket().failures += 1;
        this.failures.delete(id);
        this.failures.set(id, { version, code: error.code, failures, retryAt: clock.monotonic() + retryAfterMs });
        for (const oldest of this.failures.keys()) {
          if (this.failures.size <= MAX_FAILURES) break;
          this.failures.delete(oldest);
        }
      })),
    ];
  }

  stop(): void {
    for (const end of this.#ends) end();
  }

  /** The last ten minutes, oldest first. */
  columns(): LatencyColumn[] {
    const current = this.#start();
    const bySince = new Map(this.#buckets.map((bucket) => [bucket.since, bucket]));
    return Array.from({ length: COLUMNS }, (_, index) => columnOf(bySince.get(current - (COLUMNS - 1 - index) * COLUMN_MS)));
  }

  #start(): number {
    return Math.floor(this.#clock.monotonic() / COLUMN_MS) * COLUMN_MS;
  }

  #bucket(): Bucket {
    const since = this.#start();
    const last = this.#buckets.at(-1);
    if (last?.since === since) return last;
    const bucket: Bucket = { since, durations: [], count: 0, failures: 0 };
    this.#buckets.push(bucket);
    while (this.#buckets.length > COLUMNS) this.#buckets.shift();
    return bucket;
  }
}

function columnOf(bucket: Bucket | undefined): LatencyColumn {
  if (bucket === undefined) return { count: 0, failures: 0 };
  const { count, failures } = bucket;
  const durations = bucket.durations.toSorted((a, b) => a - b);
  const at = (share: number): number => durations[Math.min(durations.length - 1, Math.floor(durations.length * share))] as number;
  return durations.length === 0 ? { count, failures } : { count, failures, p50Ms: at(0.5), p95Ms: at(0.95) };
}
