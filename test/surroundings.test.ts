import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { surroundings } from '../src/surroundings.js';

describe('surroundings', () => {
  afterEach(() => { vi.unstubAllGlobals(); });

  const organisation = new AsyncLocalStorage<string>();

  test('calls run in the context of the capture, and the caller keeps its own', async () => {
    const captured = organisation.run('owner', surroundings);
    await organisation.run('caller', async () => {
      const inside = captured(async (prefix: string) => {
        await Promise.resolve();
        return `${prefix}:${organisation.getStore()}`;
      }, 'after an await');
      expect(organisation.getStore()).toBe('caller');
      expect(await inside).toBe('after an await:owner');
      expect(organisation.getStore()).toBe('caller');
    });
  });

  test('a capture outside of any context shields from every caller', () => {
    const captured = surroundings();
    expect(organisation.run('caller', () => captured(() => organisation.getStore()))).toBeUndefined();
  });

  test('exceptions pass through and leave the context as it was', () => {
    const captured = organisation.run('owner', surroundings);
    organisation.run('caller', () => {
      expect(() => captured(() => { throw new Error('thrown inside'); })).toThrow('thrown inside');
      expect(organisation.getStore()).toBe('caller');
    });
  });

  test.each([
    { runtime: 'without process', process: undefined },
    { runtime: 'without getBuiltinModule', process: {} },
    { runtime: 'without node:async_hooks', process: { getBuiltinModule: () => undefined } },
    { runtime: 'without snapshots', process: { getBuiltinModule: () => ({ AsyncLocalStorage: {} }) } },
  ])('on a runtime $runtime calls run unchanged', ({ process }) => {
    vi.stubGlobal('process', process);
    const captured = surroundings();
    vi.unstubAllGlobals();
    expect(captured((a: number, b: number) => a + b, 1, 2)).toBe(3);
  });

  test('on an edge runtime the global class is used', () => {
    vi.stubGlobal('process', undefined);
    vi.stubGlobal('AsyncLocalStorage', AsyncLocalStorage);
    const captured = organisation.run('owner', surroundings);
    vi.unstubAllGlobals();
    expect(captured(() => organisation.getStore())).toBe('owner');
  });
});
