import { describe, expect, test } from 'vitest';
import { createInspector } from 'hydrant/inspector';
import { FakeRegistry } from './support/fake-registry.js';

const authorize = (): boolean => true;
const { snapshot, invalidate } = new FakeRegistry();
const on = (): (() => void) => () => {};

describe('createInspector and its options', () => {
  test.each<{ what: string; registry: unknown; options: unknown; message: string }>([
    {
      what: 'nothing in place of a registry',
      registry: undefined,
      options: { authorize },
      message: 'registry: expected a ConnectionRegistry, got nothing',
    },
    {
      what: 'null in place of a registry',
      registry: null,
      options: { authorize },
      message: 'registry: expected a ConnectionRegistry, got null',
    },
    {
      what: 'a registry that tells nothing',
      registry: { snapshot, invalidate },
      options: { authorize },
      message: 'registry: expected a ConnectionRegistry, got an object',
    },
    {
      what: 'a registry that shows nothing',
      registry: { on, invalidate },
      options: { authorize },
      message: 'registry: expected a ConnectionRegistry',
    },
    {
      what: 'a registry that lets go of nothing',
      registry: { on, snapshot },
      options: { authorize },
      message: 'registry: expected a ConnectionRegistry',
    },
    {
      what: 'no authorize',
      registry: new FakeRegistry(),
      options: {},
      message:
        'authorize: expected a function (request) => boolean | Response, because the page shows and does everything, got nothing',
    },
    {
      what: 'an interval of 0',
      registry: new FakeRegistry(),
      options: { authorize, intervalMs: 0 },
      message: 'intervalMs: expected milliseconds from 1 to 2147483647, got 0',
    },
    {
      what: 'an interval that no timer takes',
      registry: new FakeRegistry(),
      options: { authorize, intervalMs: 2 ** 31 },
      message: 'intervalMs: expected milliseconds from 1 to 2147483647, got 2147483648',
    },
    {
      what: 'an interval that is no number',
      registry: new FakeRegistry(),
      options: { authorize, intervalMs: '1s' },
      message: 'intervalMs: expected milliseconds from 1 to 2147483647, got "1s"',
    },
  ])('refuses $what', ({ registry, options, message }) => {
    expect(() => createInspector(registry as never, options as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining(`createInspector: ${message}`) }),
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
