import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionRegistry, MemoryStore, type ConnectionRecord } from 'hydrant';
import { createInspector, type Inspector } from 'hydrant/inspector';
import { ManualClock, RecordingFactory } from 'hydrant/testing';
import { openPage } from './support/page.js';

const HOSTILE = '<img src=x onerror=alert(1)>"\'&';
const bot = (index: number): string => `bot-${String(index).padStart(3, '0')}`;

describe('the inspector’s page, without a browser', () => {
  let clock: ManualClock;
  let factory: RecordingFactory;
  let registry: ConnectionRegistry<ConnectionRecord, any>;
  let inspector: Inspector;

  beforeEach(() => {
    // These failures are intended, and an onlooker leaves them to the console.
    vi.spyOn(console, 'error').mockImplementation(() => {});
    clock = new ManualClock();
    factory = new RecordingFactory({ clock });
    const ids = ['acme', 'beta', 'broken', HOSTILE, ...Array.from({ length: 250 }, (_, index) => bot(index))];
    registry = new ConnectionRegistry<ConnectionRecord, any>({
      store: new MemoryStore(ids.map((id) => ({ id }))),
      factory,
      clock,
      maxInstances: 1_000,
      sweepIntervalMs: 0,
    });
    inspector = createInspector(registry, { authorize: () => true, title: 'Bots', clock });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    inspector.stop();
    await registry.close();
  });
  const open = () => openPage(inspector, clock);
  const use = (...ids: string[]): Promise<unknown> => Promise.all(ids.map((id) => registry.use(id, () => {})));

  test('shows the connections, and follows them live', async () => {
    const lease = await registry.acquire('acme');
    const { $, lines } = await open();
    expect({ feed: $('feed').textContent, state: $('feed').dataset['state'] }).toEqual({ feed: 'Live', state: 'live' });
    expect(lines()).toEqual([['acme', 'leased', '1', '1', '0 ms', '0 ms', '', '']]);
    await use('beta');
    await clock.advance(1_000);
    expect(lines()).toEqual([
      ['acme', 'leased', '1', '1', '1.0 s', '1.0 s', '', ''],
      ['beta', 'idle', '2', '0', '1.0 s', '', '', ''],
    ]);
    lease.release();
    registry.invalidate('beta');
    await clock.advance(1_000);
    expect(lines()).toEqual([['acme', 'idle', '1', '0', '2.0 s', '', '', '']]);
  });

  test('gives each row a heading, which its buttons name', async () => {
    await use('acme');
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
    const lease = await registry.acquire('acme');
    clock.advanceSync(ageMs);
    expect((await open()).lines()[0]?.slice(4, 6)).toEqual([shown, shown]);
    lease.release();
  });

  test('shows counts beside the caps', async () => {
    await use('acme', 'beta');
    const lease = await registry.acquire('acme');
    factory.behaveOnCreate({ delayMs: 500 });
    const broken = use(...Array.from({ length: 18 }, (_, index) => bot(index)));
    const { $ } = await open();
    expect(['live', 'idle', 'leased', 'hydrating', 'queued', 'draining', 'failed'].map((id) => $(id).textContent))
      .toEqual(['2 of 1,000', '1', '1', '16 of 16', '2 of 1,000', '0', '0']);
    const { value, max, high } = $('live-meter');
    expect({ value, max, high }).toEqual({ value: 2, max: 1_000, high: 900 });
    expect($('matching').textContent).toBe('20 in all');
    lease.release();
    await clock.advance(1_000);
    await broken;
  });

  test('draws how long hydrates took, a column for ten seconds, and describes it in words', async () => {
    const { $ } = await open();
    expect({ latency: $('latency-text').textContent, bars: $('chart').children.length }).toEqual({
      latency: 'None yet.',
      bars: 0,
    });
    factory.behaveOnCreate(({ id }) => (id === 'broken' ? { fail: new Error('no') } : { delayMs: 100 }));
    void Promise.allSettled(['acme', 'broken'].map((id) => registry.use(id, () => {})));
    await clock.advance(1_000);
    expect($('latency-text').textContent).toBe('1 succeeded, 1 failed; in the slowest ten seconds 95 % took at most 100 ms.');
    const bars = (): unknown[] =>
      $('chart').children.map((bar) =>
        ['class', 'x', 'y', 'width', 'height'].map((key) => bar.getAttribute(key)?.replace(/\.\d+/, '')),
      );
    const drawn = (x: string): unknown[] => [
      ['p95', x, '73', '8', '44'],
      ['p50', x, '73', '8', '44'],
      ['bad', x, '2', '8', '12'],
    ];
    expect(bars()).toEqual(drawn('591'));
    expect($('chart').children.map(({ name }) => name)).toEqual(['svg:rect', 'svg:rect', 'svg:rect']);
    await clock.advance(10_000);
    expect(bars()).toEqual(drawn('581'));
  });

  test('says so if all have failed', async () => {
    factory.behaveOnCreate({ fail: new Error('no') });
    await use('broken').catch(() => {});
    const { $ } = await open();
    expect($('latency-text').textContent).toBe('0 succeeded, 1 failed.');
  });

  test('shows a failure, and when it is retried', async () => {
    factory.behaveOnCreate({ fail: new Error('secret') });
    await use('broken').catch(() => {});
    const { lines, $, document } = await open();
    expect(lines()).toEqual([
      ['broken', 'failed', '3', '0', '', '', 'HYDRATION_FAILED (1)', expect.stringMatching(/^in \d+ ms$/)],
    ]);
    await clock.advance(1_000);
    expect(lines()[0]?.at(-1)).toBe('on the next use');
    expect({ failed: $('failed').textContent, tellsTheSecret: document.root.textContent.includes('secret') }).toEqual({
      failed: '1',
      tellsTheSecret: false,
    });
  });

  test('shows an id as text, whatever it is', async () => {
    await use(HOSTILE);
    const { lines, document } = await open();
    expect({ id: lines()[0]?.[0], images: document.named('img') }).toEqual({ id: HOSTILE, images: [] });
  });

  test('evicts and invalidates, and shows the result', async () => {
    await use('acme');
    const lease = await registry.acquire('beta');
    const { button, lines, does, $, asked } = await open();
    expect(button('Evict beta').disabled).toBe(true);
    await does(() => button('Evict acme').click());
    expect(asked).toContain('POST ?action=evict&id=acme');
    expect($('outcome').textContent).toBe('acme: Evicted');
    expect(lines().map(([id]) => id)).toEqual(['beta']);
    await does(() => button('Invalidate beta').click());
    expect({ outcome: $('outcome').textContent, stale: lease.stale, state: lines()[0]?.[1] }).toEqual({
      outcome: 'beta: Invalidated',
      stale: true,
      state: 'draining',
    });
    lease.release();
  });

  test('searches once typing has paused', async () => {
    await use(...Array.from({ length: 250 }, (_, index) => bot(index)));
    const { $, asked, lines, does } = await open();
    const before = asked.length;
    const type = (text: string): void => { $('search').value = text; $('search').dispatch('input'); };
    type('B');
    await clock.advance(149);
    type('BOT-24');
    await clock.advance(149);
    expect(asked).toHaveLength(before);
    await does(() => clock.advanceSync(1));
    expect(asked.slice(before)).toEqual(['GET ?view=stream&search=BOT-24&state=&sort=id&offset=0']);
    expect({ matching: $('matching').textContent, lines: lines().length }).toEqual({ matching: '10 of 250', lines: 10 });
  });

  test('turns pages, and starts again for another search', async () => {
    await use(...Array.from({ length: 250 }, (_, index) => bot(index)));
    const { $, lines, does, button, document } = await open();
    const shown = (): object => ({
      range: $('range').textContent,
      first: lines()[0]?.[0],
      isFirstPage: $('previous').disabled,
      isLastPage: $('next').disabled,
    });
    const firstPage = { range: '1 to 100', first: 'bot-000', isFirstPage: true, isLastPage: false };
    const secondPage = { range: '101 to 200', first: 'bot-100', isFirstPage: false, isLastPage: false };
    const lastPage = { range: '201 to 250', first: 'bot-200', isFirstPage: false, isLastPage: true };
    expect(shown()).toEqual(firstPage);
    await does(() => $('next').click());
    expect(shown()).toEqual(secondPage);
    await does(() => $('next').click());
    expect(shown()).toEqual(lastPage);
    await does(() => $('previous').click());
    expect(shown()).toEqual(secondPage);
    const sorted = (): object[] =>
      document
        .querySelectorAll('th[aria-sort]')
        .map((header) => ({ column: header.textContent, order: header.getAttribute('aria-sort') }));
    expect(sorted()).toEqual([{ column: 'Id', order: 'ascending' }]);
    await does(() => button('Age').click());
    expect({ sorted: sorted(), range: $('range').textContent }).toEqual({
      sorted: [{ column: 'Age', order: 'descending' }],
      range: '1 to 100',
    });
    await does(() => { $('state').value = 'leased'; $('state').dispatch('change'); });
    expect(shown()).toEqual({ range: 'None', first: undefined, isFirstPage: true, isLastPage: true });
    expect($('matching').textContent).toBe('0 of 250');
  });

  test('does not change while it is paused, except for a search, and then goes on', async () => {
    await use('beta');
    const { $, lines, does, asked } = await open();
    await does(() => $('pause').click());
    expect({
      feed: $('feed').textContent,
      state: $('feed').dataset['state'],
      ariaPressed: $('pause').getAttribute('aria-pressed'),
    }).toEqual({
      feed: 'Paused',
      state: 'paused',
      ariaPressed: 'true',
    });
    await use('acme');
    await clock.advance(5_000);
    expect(lines().map(([id]) => id)).toEqual(['beta']);
    await does(() => { $('state').value = 'idle'; $('state').dispatch('change'); });
    expect(asked.at(-1)).toBe('GET ?view=data&search=&state=idle&sort=id&offset=0');
    expect(lines().map(([id]) => id)).toEqual(['acme', 'beta']);
    await does(() => $('pause').click());
    expect({ feed: $('feed').textContent, ariaPressed: $('pause').getAttribute('aria-pressed') }).toEqual({
      feed: 'Live',
      ariaPressed: 'false',
    });
  });

  test('reconnects every five minutes, and goes on', async () => {
    const { $, lines } = await openPage(createInspector(registry, { authorize: () => true, clock, intervalMs: 60_000 }), clock);
    await clock.advance(300_000);
    expect($('feed').dataset['state']).toBe('lost');
    await use('acme');
    await clock.advance(1_000);
    expect({ state: $('feed').dataset['state'], lines: lines().length }).toEqual({ state: 'live', lines: 1 });
  });

  test('shows that it has lost the connection, and that a request has failed', async () => {
    await use('acme');
    const page = await open();
    const feed = (): unknown[] => [page.$('feed').textContent, page.$('feed').dataset['state']];
    page.offline = true;
    await page.does(() => page.button('Evict acme').click());
    expect(page.$('outcome').textContent).toBe('acme: the request failed');
    expect(feed()).toEqual(['Connection lost, trying again…', 'lost']);
    await page.does(() => page.$('pause').click());
    await page.does(() => { page.$('state').dispatch('change'); });
    expect(feed()).toEqual(['Connection lost', 'lost']);
  });

  test('keeps rows and the focus while others come and go, even if a connection has two', async () => {
    await use('beta');
    const lease = await registry.acquire('beta');
    const { button, lines, document, does } = await open();
    const focused = button('Invalidate beta');
    await does(() => focused.focus());
    await use('acme');
    registry.invalidate('beta');
    await use('beta');
    await clock.advance(1_000);
    expect(lines().map(([id, state]) => ({ id, state }))).toEqual([
      { id: 'acme', state: 'idle' },
      { id: 'beta', state: 'idle' },
      { id: 'beta', state: 'draining' },
    ]);
    expect(document.activeElement).toBe(focused);
    registry.invalidate('acme');
    lease.release();
    await clock.advance(1_000);
    expect(lines().map(([id]) => id)).toEqual(['beta']);
    expect(document.activeElement).toBe(focused);
  });
});
