import { describe, expect, test } from 'vitest';
import { inspectBeforeEach, type Inspected } from './support/inspected.js';
import { openPage, type Page } from './support/page.js';

const BOTS = Array.from({ length: 18 }, (_, index) => `bot-${index}`);
const HOSTILE = '<img src=x onerror=alert(1)>"\'&';

describe('what the inspector’s page shows, without a browser', () => {
  let h: Inspected;
  const options = { maxInstances: 1_000, sweepIntervalMs: 0 };
  inspectBeforeEach(['acme', 'beta', 'broken', HOSTILE, ...BOTS], options, (inspected) => { h = inspected; });
  const open = (): Promise<Page> => openPage(h.inspector, h.clock);

  test('shows the connections, and follows them live', async () => {
    const lease = await h.registry.acquire('acme');
    const { $, lines } = await open();
    expect({ feed: $('feed').textContent, state: $('feed').dataset['state'] }).toEqual({ feed: 'Live', state: 'live' });
    expect(lines()).toEqual([{
      id: 'acme',
      state: 'leased',
      version: '1',
      leases: '1',
      age: '0 ms',
      leasedFor: '0 ms',
      failure: '',
      nextAttempt: '',
    }]);
    await h.use('beta');
    await h.clock.advance(1_000);
    expect(lines()).toEqual([
      { id: 'acme', state: 'leased', version: '1', leases: '1', age: '1.0 s', leasedFor: '1.0 s', failure: '', nextAttempt: '' },
      { id: 'beta', state: 'idle', version: '2', leases: '0', age: '1.0 s', leasedFor: '', failure: '', nextAttempt: '' },
    ]);
    lease.release();
    h.registry.invalidate('beta');
    await h.clock.advance(1_000);
    expect(lines()).toEqual([{
      id: 'acme',
      state: 'idle',
      version: '1',
      leases: '0',
      age: '2.0 s',
      leasedFor: '',
      failure: '',
      nextAttempt: '',
    }]);
  });

  test('gives each row a heading, which its buttons name', async () => {
    await h.use('acme');
    const { document } = await open();
    const [row] = document.querySelector('tbody')?.children ?? [];
    expect(row?.name).toBe('tr');
    expect(row?.children.map(({ name, scope }) => ({ name, scope }))).toEqual([
      { name: 'th', scope: 'row' },
      ...Array.from({ length: 8 }, () => ({ name: 'td', scope: '' })),
    ]);
    expect(row?.children[1]?.className).toBe('idle');
    expect(
      row?.children[8]?.children.map((button) => ({
        name: button.name,
        type: button.type,
        text: button.textContent,
        label: button.getAttribute('aria-label'),
      })),
    ).toEqual([
      { name: 'button', type: 'button', text: 'Invalidate', label: 'Invalidate acme' },
      { name: 'button', type: 'button', text: 'Evict', label: 'Evict acme' },
    ]);
  });

  test.each([
    { ageMs: 999, shown: '999 ms' },
    { ageMs: 1_000, shown: '1.0 s' },
    { ageMs: 59_900, shown: '59.9 s' },
    { ageMs: 60_000, shown: '1 min 0 s' },
    { ageMs: 3_599_000, shown: '59 min 59 s' },
    { ageMs: 3_600_000, shown: '1 h 0 min' },
    { ageMs: 7_560_000, shown: '2 h 6 min' },
  ])('an age of $ageMs ms is shown as $shown', async ({ ageMs, shown }) => {
    const lease = await h.registry.acquire('acme');
    h.clock.advanceSync(ageMs);
    expect((await open()).lines()[0]).toMatchObject({ age: shown, leasedFor: shown });
    lease.release();
  });

  test('shows counts beside the caps', async () => {
    await h.use('acme', 'beta');
    const lease = await h.registry.acquire('acme');
    h.factory.behaveOnCreate({ delayMs: 500 });
    const broken = h.use(...BOTS);
    const { $ } = await open();
    const counts = {
      live: '2 of 1,000', idle: '1', leased: '1', hydrating: '16 of 16', queued: '2 of 1,000', draining: '0', failed: '0',
    };
    expect(Object.fromEntries(Object.keys(counts).map((id) => [id, $(id).textContent]))).toEqual(counts);
    const { value, max, high } = $('live-meter');
    expect({ value, max, high }).toEqual({ value: 2, max: 1_000, high: 900 });
    expect($('matching').textContent).toBe('20 in all');
    lease.release();
    await h.clock.advance(1_000);
    await broken;
  });

  test('draws how long hydrates took, a column for ten seconds, and describes it in words', async () => {
    const { $ } = await open();
    expect({ latency: $('latency-text').textContent, bars: $('chart').children.length }).toEqual({
      latency: 'None yet.',
      bars: 0,
    });
    h.factory.behaveOnCreate(({ id }) => (id === 'broken' ? { fail: new Error('no') } : { delayMs: 100 }));
    void Promise.allSettled(['acme', 'broken'].map((id) => h.registry.use(id, () => {})));
    await h.clock.advance(1_000);
    expect($('latency-text').textContent).toBe('1 succeeded, 1 failed; in the slowest ten seconds 95 % took at most 100 ms.');
    const bars = (): object[] =>
      $('chart').children.map((bar) => {
        const whole = (key: string): string | undefined => bar.getAttribute(key)?.replace(/\.\d+/, '');
        return { class: whole('class'), x: whole('x'), y: whole('y'), width: whole('width'), height: whole('height') };
      });
    const drawn = (x: string): object[] => [
      { class: 'p95', x, y: '73', width: '8', height: '44' },
      { class: 'p50', x, y: '73', width: '8', height: '44' },
      { class: 'bad', x, y: '2', width: '8', height: '12' },
    ];
    expect(bars()).toEqual(drawn('591'));
    expect($('chart').children.map(({ name }) => name)).toEqual(['svg:rect', 'svg:rect', 'svg:rect']);
    await h.clock.advance(10_000);
    expect(bars()).toEqual(drawn('581'));
  });

  test('says so if all have failed', async () => {
    h.factory.behaveOnCreate({ fail: new Error('no') });
    await h.use('broken').catch(() => {});
    const { $ } = await open();
    expect($('latency-text').textContent).toBe('0 succeeded, 1 failed.');
  });

  test('shows a failure, and when it is retried', async () => {
    h.factory.behaveOnCreate({ fail: new Error('secret') });
    await h.use('broken').catch(() => {});
    const { lines, $, document } = await open();
    expect(lines()).toEqual([
      {
        id: 'broken',
        state: 'failed',
        version: '3',
        leases: '0',
        age: '',
        leasedFor: '',
        failure: 'HYDRATION_FAILED (1)',
        nextAttempt: expect.stringMatching(/^in \d+ ms$/),
      },
    ]);
    await h.clock.advance(1_000);
    expect(lines()[0]?.nextAttempt).toBe('on the next use');
    expect({ failed: $('failed').textContent, tellsTheSecret: document.root.textContent.includes('secret') }).toEqual({
      failed: '1',
      tellsTheSecret: false,
    });
  });

  test('shows an id as text, whatever it is', async () => {
    await h.use(HOSTILE);
    const { lines, document } = await open();
    expect({ id: lines()[0]?.id, images: document.named('img') }).toEqual({ id: HOSTILE, images: [] });
  });
});
