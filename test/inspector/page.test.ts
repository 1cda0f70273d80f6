import { beforeEach, describe, expect, test } from 'vitest';
import { createInspector } from 'hydrant/inspector';
import { Document, type Element } from './support/document.js';
import { FakeRegistry } from './support/fake-registry.js';

describe('the inspector’s page', () => {
  let page: Document;
  let html: string;
  beforeEach(async () => {
    html = await (
      await createInspector(new FakeRegistry(), { authorize: () => true, title: "It's <Bots>" })(new Request('http://x/'))
    ).text();
    page = new Document(html);
  });
  const $ = (id: string): Element => page.getElementById(id) as Element;

  test('has its title as heading and as title of the window, as text', () => {
    for (const name of ['h1', 'title']) expect(page.named(name)[0]?.textContent, name).toBe('It\'s <Bots>');
    expect(html).toContain('<h1>It&#39;s &lt;Bots&gt;</h1>');
  });

  test('has a name for every control', () => {
    const nameOf = (element: Element): string => {
      const label = page.named('label').find((one) => one.getAttribute('for') === element.getAttribute('id'));
      const labelledBy = element.getAttribute('aria-labelledby')?.split(' ').map((id) => $(id).textContent).join(' ');
      return label?.textContent ?? labelledBy ?? element.textContent;
    };
    const reached = ['button', 'input', 'select', 'meter', 'svg'].flatMap((name) => page.named(name));
    expect(reached.map(({ name }) => name).toSorted()).toEqual([
      ...Array.from({ length: 8 }, () => 'button'),
      'input',
      'meter',
      'meter',
      'meter',
      'select',
      'svg',
    ]);
    for (const element of reached) expect(nameOf(element), element.name).toMatch(/\w/);
  });

  test('labels every number', () => {
    for (const id of ['live', 'idle', 'leased', 'hydrating', 'queued', 'draining', 'failed']) {
      const fact = $(id).parent?.parent as Element;
      expect({ id, children: fact.children.map(({ name }) => name), meaning: fact.firstChild.textContent }).toEqual({
        id,
        children: ['dt', 'dd'],
        meaning: expect.stringMatching(/\w/),
      });
    }
  });

  test('has a heading for every column, and sorts by the sortable ones', () => {
    const headings = page.named('th');
    expect(headings).toHaveLength(9);
    for (const heading of headings)
      expect({ scope: heading.getAttribute('scope'), text: heading.textContent }).toEqual({
        scope: 'col',
        text: expect.stringMatching(/\w/),
      });
    expect(page.querySelectorAll('th[data-sort]').map(({ dataset }) => dataset['sort'])).toEqual([
      'id',
      'leases',
      'age',
      'leased',
      'failures',
    ]);
  });

  test('filters by every state of a row', () => {
    expect(page.named('option').map(({ textContent }) => textContent)).toEqual([
      'any',
      'idle',
      'leased',
      'hydrating',
      'draining',
      'disposing',
      'failed',
    ]);
    expect($('state').textContent).toBe('anyidleleasedhydratingdrainingdisposingfailed');
  });

  describe('has a contrast of 4.5 to 1', () => {
    test.each(['light', 'dark'] as const)('of every text on every ground, where it is %s', (scheme) => {
      const colours = coloursOf(page.named('style')[0]?.textContent ?? '', scheme);
      for (const ground of ['--paper', '--raised']) {
        for (const text of ['--ink', '--quiet', '--blue', '--red', '--green', '--amber']) {
          expect(contrast(colours, text, ground), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
        }
      }
    });
  });
});

function coloursOf(style: string, scheme: 'light' | 'dark'): Map<string, string> {
  const [light, dark] = [...style.matchAll(/:root \{([^}]*)\}/g)].map(([, declared]) => declared as string);
  return new Map(
    [...((scheme === 'light' ? light : dark)?.matchAll(/(--\w+): #(\w{6})/g) ?? [])].map(([, name, colour]) => [
      name as string,
      colour as string,
    ]),
  );
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(colours: Map<string, string>, one: string, other: string): number {
  const [dark, light] = [one, other].map((name) => luminance(colours.get(name) ?? '')).toSorted((a, b) => a - b) as [
    number,
    number,
  ];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
  const [red, green, blue] = [0, 2, 4].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
