import { createInspector } from 'hydrant/inspector';
import { describe, expect, test } from 'vitest';
import { inspectBeforeEach, type Inspected } from './support/inspected.js';
import { openPage, type Page } from './support/page.js';

const BOTS = Array.from({ length: 250 }, (_, index) => `bot-${String(index).padStart(3, '0')}`);

describe('the controls of the inspector’s page, without a browser', () => {
  let h: Inspected;
  const options = { maxInstances: 1_000, sweepIntervalMs: 0 };
  inspectBeforeEach(['acme', 'beta', 'broken', ...BOTS], options, (inspected) => { h = inspected; });
  const open = (): Promise<Page> => openPage(h.inspector, h.clock);

  test('evicts and invalidates, and shows the result', async () => {
    await h.use('acme');
    const lease = await h.registry.acquire('beta');
    const { button, lines, does, $, asked } = await open();
    expect(button('Evict beta').disabled).toBe(true);
    await does(() => button('Evict acme').click());
    expect(asked).toContain('POST ?action=evict&id=acme');
    expect($('outcome').textContent).toBe('acme: Evicted');
    expect(lines().map(({ id }) => id)).toEqual(['beta']);
    await does(() => button('Invalidate beta').click());
    expect({ outcome: $('outcome').textContent, stale: lease.stale, state: lines()[0]?.state }).toEqual({
      outcome: 'beta: Invalidated',
      stale: true,
      state: 'draining',
    });
    lease.release();
  });

  test('searches once typing has paused', async () => {
    await h.use(...BOTS);
    const { $, asked, lines, does } = await open();
    const before = asked.length;
    const type = (text: string): void => { $('search').value = text; $('search').dispatch('input'); };
    type('B');
    await h.clock.advance(149);
    type('BOT-24');
    await h.clock.advance(149);
    expect(asked).toHaveLength(before);
    await does(() => h.clock.advanceSync(1));
    expect(asked.slice(before)).toEqual(['GET ?view=stream&search=BOT-24&state=&sort=id&offset=0']);
    expect({ matching: $('matching').textContent, lines: lines().length }).toEqual({ matching: '10 of 250', lines: 10 });
  });

  test('turns pages, and starts again for another search', async () => {
    await h.use(...BOTS);
    const { $, lines, does, button, document } = await open();
    const shown = (): object => ({
      range: $('range').textContent,
      first: lines()[0]?.id,
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
    await h.use('beta');
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
    await h.use('acme');
    await h.clock.advance(5_000);
    expect(lines().map(({ id }) => id)).toEqual(['beta']);
    await does(() => { $('state').value = 'idle'; $('state').dispatch('change'); });
    expect(asked.at(-1)).toBe('GET ?view=data&search=&state=idle&sort=id&offset=0');
    expect(lines().map(({ id }) => id)).toEqual(['acme', 'beta']);
    await does(() => $('pause').click());
    expect({ feed: $('feed').textContent, ariaPressed: $('pause').getAttribute('aria-pressed') }).toEqual({
      feed: 'Live',
      ariaPressed: 'false',
    });
  });

  test('reconnects every five minutes, and goes on', async () => {
    const inspector = createInspector(h.registry, { authorize: () => true, clock: h.clock, intervalMs: 60_000 });
    const { $, lines } = await openPage(inspector, h.clock);
    await h.clock.advance(300_000);
    expect($('feed').dataset['state']).toBe('lost');
    await h.use('acme');
    await h.clock.advance(1_000);
    expect({ state: $('feed').dataset['state'], lines: lines().length }).toEqual({ state: 'live', lines: 1 });
  });

  test('shows that it has lost the connection, and that a request has failed', async () => {
    await h.use('acme');
    const page = await open();
    const feed = (): object => ({ text: page.$('feed').textContent, state: page.$('feed').dataset['state'] });
    page.offline = true;
    await page.does(() => page.button('Evict acme').click());
    expect(page.$('outcome').textContent).toBe('acme: the request failed');
    expect(feed()).toEqual({ text: 'Connection lost, trying again…', state: 'lost' });
    await page.does(() => page.$('pause').click());
    await page.does(() => { page.$('state').dispatch('change'); });
    expect(feed()).toEqual({ text: 'Connection lost', state: 'lost' });
  });

  test('keeps rows and the focus while others come and go, even if a connection has two', async () => {
    await h.use('beta');
    const lease = await h.registry.acquire('beta');
    const { button, lines, document, does } = await open();
    const focused = button('Invalidate beta');
    await does(() => focused.focus());
    await h.use('acme');
    h.registry.invalidate('beta');
    await h.use('beta');
    await h.clock.advance(1_000);
    expect(lines()).toMatchObject([
      { id: 'acme', state: 'idle' },
      { id: 'beta', state: 'idle' },
      { id: 'beta', state: 'draining' },
    ]);
    expect(document.activeElement).toBe(focused);
    h.registry.invalidate('acme');
    lease.release();
    await h.clock.advance(1_000);
    expect(lines().map(({ id }) => id)).toEqual(['beta']);
    expect(document.activeElement).toBe(focused);
  });
});
