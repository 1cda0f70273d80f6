import assert from 'node:assert/strict';
import type { ConnectionStore } from '../../contracts/store.js';
import { eventually, existing, promised, type Suite } from './harness.js';

interface Heard { readonly changed: string[]; gaps: number }

async function listening(store: ConnectionStore): Promise<{ heard: Heard; subscription: AsyncDisposable }> {
  const heard: Heard = { changed: [], gaps: 0 };
  const watch = promised(store.watch, 'watch').bind(store);
  const subscription = await watch({
    changed: (ids) => { heard.changed.push(...ids); },
    gap: () => { heard.gaps += 1; },
  });
  return { heard, subscription };
}

/** Hints report changes, with a gap for everything they may have missed. They never replace a read. */
export function hintTests({ test, id, capabilities }: Suite): void {
  if (capabilities.watch !== true) return;
  const timeoutMs = capabilities.hintTimeoutMs ?? 5_000;

  test('watch: a subscription begins with a gap', async ({ store }) => {
    const { heard, subscription } = await listening(store);
    await eventually('gap() after subscribing', () => heard.gaps === 1, timeoutMs);
    await subscription[Symbol.asyncDispose]();
  });

  test('watch: reports an edit, a stop, a delete and a creation, each after it can be read', async ({
    store,
    write,
    remove,
    configOf,
  }) => {
    const { heard, subscription } = await listening(store);
    await eventually('gap() after subscribing', () => heard.gaps > 0, timeoutMs);
    const told = async (what: string, change: () => Promise<unknown>): Promise<void> => {
      heard.changed.length = 0;
      await change();
      await eventually(`changed(['${id(1)}']) after ${what}`, () => heard.changed.includes(id(1)), timeoutMs);
    };
    await told('a creation', () => write(id(1), { status: 'active', config: 'a' }));
    await told('an edit', () => write(id(1), { status: 'active', config: 'b' }));
    assert.equal(configOf(await existing(store, id(1))), 'b');
    await told('a stop', () => write(id(1), { status: 'stopped', config: 'b' }));
    await told('a delete', () => remove(id(1)));
    assert.equal(await store.get(id(1)), undefined);
    await subscription[Symbol.asyncDispose]();
  });

  test('watch: every listener is called, and a removed one no longer', async ({ store, write }) => {
    const [first, second] = [await listening(store), await listening(store)];
    await eventually('gap() for both', () => first.heard.gaps > 0 && second.heard.gaps > 0, timeoutMs);
    await write(id(1), { status: 'active', config: 'a' });
    await eventually(
      'changed() for both',
      () => first.heard.changed.includes(id(1)) && second.heard.changed.includes(id(1)),
      timeoutMs,
    );
    await first.subscription[Symbol.asyncDispose]();
    const before = first.heard.changed.length;
    await write(id(2), { status: 'active', config: 'a' });
    await eventually('changed() for the one that stayed', () => second.heard.changed.includes(id(2)), timeoutMs);
    assert.equal(first.heard.changed.length, before);
    await second.subscription[Symbol.asyncDispose]();
  });

  test('watch: a thousand changes at once are all reported', async ({ store, write }) => {
    const { heard, subscription } = await listening(store);
    await eventually('gap() after subscribing', () => heard.gaps > 0, timeoutMs);
    const ids = Array.from({ length: 1_000 }, (_, n) => id(n));
    await Promise.all(ids.map((each) => write(each, { status: 'active', config: 'a' })));
    await eventually(
      'changed() for each, or another gap()',
      () => heard.gaps > 1 || new Set(heard.changed).size >= ids.length,
      timeoutMs,
    );
    await subscription[Symbol.asyncDispose]();
  });

  if (capabilities.interruption === true) {
    test('watch: after its connection was cut, it subscribes again, with a gap', async ({ store, write, interrupt }) => {
      const { heard, subscription } = await listening(store);
      await eventually('gap() after subscribing', () => heard.gaps === 1, timeoutMs);
      for (let cut = 1; cut <= 2; cut += 1) {
        await promised(interrupt, 'interrupt')();
        // A write during the interruption is never reported. The gap stands for it.
        await write(id(1), { status: 'active', config: `unheard ${cut}` });
        await eventually('another gap() after the connection was cut', () => heard.gaps > cut, timeoutMs);
        heard.changed.length = 0;
        await write(id(2), { status: 'active', config: `heard ${cut}` });
        await eventually('changed() on the new connection', () => heard.changed.includes(id(2)), timeoutMs);
      }
      await subscription[Symbol.asyncDispose]();
    });
  }
}
