/** The pause after the first failure, and the longest one. */
export interface BackoffLimits { readonly initialMs: number; readonly maxMs: number }

/** A life of this length makes up for one failure, a shorter one for its share of one. */
export const FORGIVING_MS = 120_000;

/** The longest delay after this many failures, which may be a fraction: it doubles with each, up to its cap. */
export function ceilingMs({ initialMs, maxMs }: BackoffLimits, failures: number): number {
  return Math.min(maxMs, initialMs * 2 ** Math.min(failures - 1, 52));
}

/**
 * The delay after this many failures. Jittered, so that what failed together does not retry together.
 *
 * @param least - the share of the longest delay that it takes in any case
 */
export function jitteredMs(limits: BackoffLimits, failures: number, least = 0): number {
  return ceilingMs(limits, failures) * (least + Math.random() * (1 - least));
}

/**
 * The failures that count against something that lived and died, given those that counted before its life. Time lived
 * forgives in proportion. If it forgave everything at once, an instance that always dies after ten seconds would log in
 * thousands of times a day.
 *
 * @param excusable - the death itself may be forgiven: a socket that its server closes now and then has not failed
 */
export function failuresAfterDeath(limits: BackoffLimits, before: number, livedMs: number, excusable: boolean): number {
  const forgiven = livedMs / FORGIVING_MS;
  const failures = excusable ? Math.max(0, before + 1 - forgiven) : Math.max(0, before - forgiven) + 1;
  // More than enough for the longest delay would only have to be forgiven as well.
  return Math.min(failures, mostFailures(limits));
}

/** The number of failures from which on the delay is the longest. */
export function mostFailures({ initialMs, maxMs }: BackoffLimits): number {
  return initialMs > 0 ? 1 + Math.ceil(Math.log2(maxMs / initialMs)) : 1;
}
