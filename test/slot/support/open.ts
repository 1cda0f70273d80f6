import { Harness, type HarnessOptions } from '../../support/harness.js';

/** A harness with the connection `a`, in which nothing but the test causes a read. */
export const open = (options: HarnessOptions = {}): Harness => {
  const h = new Harness({ sweepIntervalMs: 0, freshness: { maxStaleMs: Infinity }, ...options });
  h.rows.put('a');
  return h;
};

/** The disposes, in order: `'dispose a@v1 idle'`. */
export const disposed = (h: Harness): string[] => h.log.filter((line) => line.startsWith('dispose'));
