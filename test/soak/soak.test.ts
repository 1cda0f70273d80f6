import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const script = fileURLToPath(new URL('run.mjs', import.meta.url));

/** The short form; the long one is `npm run proof:soak -- --minutes 10`. */
test(
  'a soak leaves nothing behind: books, heap and timers are level, and the process ends by itself',
  { timeout: 120_000 },
  async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', script, '--connections', '20000', '--requests', '60000', '--operations', '10000'],
      { timeout: 110_000 },
    );
    const [churn, strangers, mixed] = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map(
        (line) =>
          JSON.parse(line) as {
            part: string;
            created: number;
            disposed: number;
            peak: number;
            wrongs: string[];
            heapGrowthMiB: number;
            heldMiB: number;
            timersLeft: number;
            live: number[];
          },
      );
    expect(stdout).toMatch(/done\n$/);
    expect(churn).toMatchObject({ part: 'churn', created: 20_000, disposed: 20_000, wrongs: [], timersLeft: 0 });
    expect(churn!.peak).toBeLessThanOrEqual(1_100);
    expect(Math.max(...churn!.live)).toBe(1_000);
    expect(churn!.heapGrowthMiB).toBeLessThan(2);
    // The 10 000 ids that are remembered to be unknown, of 128 characters each.
    expect(strangers).toMatchObject({ part: 'strangers', created: 0, wrongs: [], timersLeft: 0 });
    expect(strangers!.heldMiB).toBeLessThan(16);
    expect(strangers!.heapGrowthMiB).toBeLessThan(2);
    expect(mixed).toMatchObject({ part: 'mixed', wrongs: [], timersLeft: 0 });
    expect(mixed!.created).toBe(mixed!.disposed);
    expect(mixed!.created).toBeGreaterThan(1_000);
    expect(mixed!.heapGrowthMiB).toBeLessThan(4);
  },
);
