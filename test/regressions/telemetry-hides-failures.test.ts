import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { ExclusiveRunner, MemoryClaims } from 'hydrant/exclusive';
import { createInspector } from 'hydrant/inspector';
import { instrument, instrumentRunner } from 'hydrant/otel';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

let written: string[];
beforeEach(() => {
  written = [];
  vi.spyOn(console, 'error').mockImplementation((text: string) => void written.push(text));
});
afterEach(() => { vi.restoreAllMocks(); });

/** A gateway in which everything fails that can, once. */
async function failing(look: (registry: ConnectionRegistry<any, any>) => void): Promise<void> {
  const rows = new MemoryStore([{ id: 'a' }, { id: 'b' }]);
  const registry = new ConnectionRegistry({
    store: { get: async (id) => { if (id === 'nowhere') throw new Error('no database'); return rows.get(id); } },
    factory: {
      create: ({ id }) => { if (id === 'b') throw new Error('no vendor'); return {}; },
      dispose: () => { throw new Error('stuck'); },
      authenticate: () => true,
      handleWebhook: () => { throw new Error('no handler'); },
    },
  });
  look(registry);
  for (const id of ['a', 'b', 'nowhere']) await registry.use(id, () => {}).catch(() => {});
  await registry.handleWebhook('a', new Request('http://gateway.test/'));
  await registry.close();
}

const ALL = [
  "hydrant: hydrationFailed for connection 'b'", 'hydrant: storeFailed',
  "hydrant: webhookFailed for connection 'a'", "hydrant: disposeFailed for connection 'a'",
];

test('a failure that is only counted or shown is still written to the console', async () => {
  await failing((registry) => {
    instrument(registry);
    createInspector(registry, { authorize: () => true });
  });
  expect(written).toEqual(ALL);
});

test('with a listener beside the onlooker, the listener logs its event and the console does not', async () => {
  const heard: string[] = [];
  await failing((registry) => {
    instrument(registry);
    registry.on('hydrationFailed', ({ id }) => void heard.push(id));
  });
  expect(written).toEqual(ALL.slice(1));
  expect(heard).toEqual(['b']);
});

test('the same holds for a runner', async () => {
  const registry = new ConnectionRegistry({ store: new MemoryStore([{ id: 'a' }]), factory: { create: () => ({}) } });
  const runner = new ExclusiveRunner({
    registry,
    claims: new MemoryClaims(),
    list: () => {
      throw new Error('no database');
    },
    run: async () => {},
  });
  instrumentRunner(runner);
  runner.start();
  await vi.waitFor(() => expect(written).toEqual(['hydrant: listFailed']));
  await runner.stop();
  await registry.close();
});
