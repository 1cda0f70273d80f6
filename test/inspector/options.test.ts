import { describe, expect, test } from 'vitest';
import { createInspector } from 'hydrant/inspector';
import { FakeRegistry } from './support/fake-registry.js';

const authorize = (): boolean => true;
const { snapshot, invalidate } = new FakeRegistry();
const on = (): (() => void) => () => {};

describe('createInspector and its options', () => {
  test.each<[string, unknown, unknown, string]>([
    ['nothing in place of a registry', undefined, { authorize }, 'registry: expected a ConnectionRegistry, got nothing'],
    ['null in place of a registry', null, { authorize }, 'registry: expected a ConnectionRegistry, got null'],
    [
      'a registry that tells nothing',
      { snapshot, invalidate },
      { authorize },
      'registry: expected a ConnectionRegistry, got an object',
    ],
    ['a registry that shows nothing', { on, invalidate }, { authorize }, 'registry: expected a ConnectionRegistry'],
    ['a registry that lets go of nothing', { on, snapshot }, { authorize }, 'registry: expected a ConnectionRegistry'],
    [
      'no authorize',
      new FakeRegistry(),
      {},
      'authorize: expected a function (request) => boolean | Response, because the page shows and does everything, got nothing',
    ],
    [
      'an interval of 0',
      new FakeRegistry(),
      { authorize, intervalMs: 0 },
      'intervalMs: expected milliseconds from 1 to 2147483647, got 0',
    ],
    [
      'an interval that no timer takes',
      new FakeRegistry(),
      { authorize, intervalMs: 2 ** 31 },
      'intervalMs: expected milliseconds from 1 to 2147483647, got 2147483648',
    ],
    [
      'an interval that is no number',
      new FakeRegistry(),
      { authorize, intervalMs: '1s' },
      'intervalMs: expected milliseconds from 1 to 2147483647, got "1s"',
    ],
  ])('refuses %s', (_, registry, options, message) => {
    expect(() => createInspector(registry as never, options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining(message) }),
    );
  });

  test.each([1, 2 ** 31 - 1])('accepts an interval of %i', (intervalMs) => {
    createInspector(new FakeRegistry(), { authorize, intervalMs }).stop();
  });

  test('names the page Connections without a title', async () => {
    const html = await (await createInspector(new FakeRegistry(), { authorize })(new Request('http://x/'))).text();
    expect(html).toContain('<h1>Connections</h1>');
  });
});
