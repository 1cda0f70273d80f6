import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Harness } from '../support/harness.js';

beforeEach(() => { vi.spyOn(Math, 'random').mockReturnValue(0.5); });
afterEach(() => { vi.restoreAllMocks(); });

test('an instance that is retired at its maximum age has not failed', async () => {
  const h = new Harness({ idleTimeoutMs: Infinity });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  await h.clock.advance(3_600_000);
  h.contexts[0]?.retire();
  await h.registry.use('a', () => {});
  await h.settle();
  expect(h.eventsOf('hydrated').map(({ afterFailures }) => afterFailures)).toEqual([0, 0]);
});

test('failures before a long life do not lengthen the pause after it is found dead in use', async () => {
  let attempts = 0;
  const h: Harness = new Harness({
    idleTimeoutMs: Infinity,
    sweepIntervalMs: 0,
    factory: {
      create: (row, context) => {
        attempts += 1;
        if (attempts <= 7) throw new Error('no');
        return h.create(row, context);
      },
    },
  });
  h.rows.put('a');
  for (let n = 0; n < 7; n += 1) {
    await h.registry.use('a', () => {}).catch(() => {});
    await h.clock.advance(60_000);
  }
  await h.registry.use('a', () => {});
  await h.clock.advance(7 * 86_400_000);
  await h.registry.use('a', (_instance, lease) => lease.retire('dead'));
  await expect(h.registry.use('a', () => {})).rejects.toMatchObject({ code: 'BACKING_OFF', retryAfterMs: 250 });
  await h.clock.advance(250);
  await h.registry.use('a', () => {});
});
