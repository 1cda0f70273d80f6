/**
 * Checks that must pass on every runtime. They use no test runner, and nothing of Node but its async contexts, so workerd
 * can run them.
 *
 * @param {typeof import('hydrant')} hydrant
 * @param {typeof import('hydrant/exclusive')} exclusive
 * @param {typeof import('hydrant/inspector')} inspector
 * @returns {[name: string, check: () => Promise<void>][]}
 */
export function checksOf(hydrant, exclusive, inspector) {
  const { ConnectionRegistry, MemoryStore, factoryByPlatform, isConnectionError, tableStore } = hydrant;
  const quiet = (registry) => {
    for (const event of ['hydrationFailed', 'webhookFailed', 'storeFailed', 'disposeFailed']) registry.on(event, () => {});
    return registry;
  };
  /** A registry that counts, and a store it rests on. */
  const world = (options = {}, factory = {}) => {
    const store = new MemoryStore([{ id: 'a', token: '1' }, { id: 'b', token: '1' }]);
    const log = [];
    const registry = quiet(new ConnectionRegistry({
      store,
      factory: {
        async create({ id, token }) { await turn(); log.push(`create ${id}`); return { token }; },
        dispose: (_instance, { record, reason }) => { log.push(`dispose ${record.id} ${reason}`); },
        ...factory,
      },
      ...options,
    }));
    return { store, log, registry };
  };

  return [
    ['a thousand cold uses cause one create', async () => {
      const { registry, log } = world();
      const tokens = await Promise.all(Array.from({ length: 1_000 }, () => registry.use('a', ({ token }) => token)));
      equal([...new Set(tokens)], ['1']);
      equal(log, ['create a']);
      await registry.close();
    }],
    ['an edit is honoured by the next use, and the old instance disposed of', async () => {
      const { registry, store, log } = world();
      await registry.use('a', () => {});
      await store.put({ id: 'a', token: '2' });
      equal(await registry.use('a', ({ token }) => token), '2');
      await registry.close();
      // The old one is disposed of beside the making of the new one: which is first does not matter.
      equal(log.toSorted(), ['create a', 'create a', 'dispose a closing', 'dispose a replaced']);
    }],
    ['what is leased is not evicted', async () => {
      const { registry, log } = world({ maxInstances: 1 });
      const lease = await registry.acquire('a');
      await registry.use('b', () => {});
      await turn();
      equal(log.includes('dispose a evicted'), false);
      lease.release();
      await registry.close();
      equal(log.filter((line) => line.startsWith('dispose')).length, 2);
    }],
    ['a lease is released by `using`, where there is Symbol.dispose', async () => {
      const { registry } = world();
      const lease = await registry.acquire('a');
      equal(registry.snapshot().leased, 1);
      lease[Symbol.dispose]();
      equal(registry.snapshot().leased, 0);
      await registry[Symbol.asyncDispose]();
      equal(registry.state, 'closed');
    }],
    ['an idle instance goes after its time, on the real clock', async () => {
      const { registry, log } = world({ idleTimeoutMs: 20 });
      await registry.use('a', () => {});
      for (let tries = 0; !log.includes('dispose a idle') && tries < 500; tries += 1) await later(10);
      equal(log, ['create a', 'dispose a idle']);
      await registry.close();
    }],
    ['failures have a code, and know each other across copies', async () => {
      const { registry } = world(
        { failureBackoff: { initialMs: 60_000, maxMs: 60_000 } },
        {
          create: () => {
            throw new Error('no');
          },
        },
      );
      const failure = await registry.use('a', () => {}).catch((error) => error);
      equal([isConnectionError(failure, 'HYDRATION_FAILED'), failure.retryable], [true, true]);
      equal((await registry.use('c', () => {}).catch((error) => error)).code, 'CONNECTION_NOT_FOUND');
      await registry.close();
    }],
    ['a caller’s own abort leaves the others alone', async () => {
      const { registry } = world();
      const controller = new AbortController();
      const left = registry.use('a', () => 'served', { signal: controller.signal }).catch((error) => error.message);
      const stayed = registry.use('a', () => 'served');
      controller.abort(new Error('gone'));
      equal([await left, await stayed], ['gone', 'served']);
      await registry.close();
    }],
    ['webhooks are authenticated on the row, served cold, and streamed', async () => {
      const { registry, log } = world(
        {},
        {
          authenticate: async (request, { record }) =>
            (await hmac('secret', await request.text())) === request.headers.get('x-signature') && record.token === '1',
          handleWebhook: async ({ token }, request, { waitUntil }) => {
            waitUntil(turn());
            const body = await request.text();
            return new Response(
              new ReadableStream({
                async start(controller) {
                  await turn();
                  controller.enqueue(new TextEncoder().encode(`${token} ${body}`));
                  controller.close();
                },
              }),
              { headers: { 'x-served': 'yes' } },
            );
          },
        },
      );
      const send = async (id, secret) => registry.handleWebhook(id, new Request('http://gateway/', {
        method: 'POST', body: 'hello', headers: { 'x-signature': await hmac(secret, 'hello') },
      }));
      equal((await send('a', 'a guess')).status, 401);
      equal(log, []);
      equal((await send('nobody', 'secret')).status, 404);
      const response = await send('a', 'secret');
      equal([response.status, response.headers.get('x-served'), await response.text()], [200, 'yes', '1 hello']);
      for (let tries = 0; registry.snapshot().leased > 0 && tries < 500; tries += 1) await later(1);
      equal(registry.snapshot().leased, 0);
      await registry.close();
      equal((await send('a', 'secret')).status, 503);
    }],
    ['one factory per platform', async () => {
      const store = new MemoryStore([
        { id: 's', platform: 'slack' },
        { id: 't', platform: 'telegram' },
        { id: 'f', platform: 'fax' },
      ]);
      const registry = quiet(
        new ConnectionRegistry({
          store,
          factory: factoryByPlatform('platform', {
            slack: { create: () => 'a slack' },
            telegram: { create: () => 'a telegram' },
          }),
        }),
      );
      equal(await Promise.all(['s', 't'].map((id) => registry.use(id, (instance) => instance))), ['a slack', 'a telegram']);
      equal((await registry.use('f', () => {}).catch((error) => error)).code, 'INVALID_RECORD');
      await registry.close();
    }],
    ['wrong options are refused with what was expected', async () => {
      let message = '';
      try { world({ maxInstances: 0 }); } catch (error) { message = error.message; }
      equal([message.includes('maxInstances'), message.includes('got 0')], [true, true]);
    }],
    ['calls of the registry run in the async context in which it was constructed', async () => {
      const { AsyncLocalStorage } = process.getBuiltinModule('node:async_hooks');
      const organization = new AsyncLocalStorage();
      const seen = new Set();
      const look = async (call) => { await turn(); seen.add(`${call} ${organization.getStore()}`); };
      const registry = organization.run('owner', () => quiet(new ConnectionRegistry({
        store: { get: async (id) => { await look('get'); return { id, version: 1, status: 'active' }; } },
        factory: { create: () => look('create'), dispose: () => look('dispose') },
      })));
      await organization.run('caller', async () => {
        await registry.use('a', () => look('use'));
        await registry.close();
      });
      equal([...seen].toSorted(), ['create owner', 'dispose owner', 'get owner', 'use caller']);
    }],
    ['equal rows have equal versions, whatever the order of their keys', async () => {
      const row = {
        id: 'a', text: 'ü 😀 \ud800', zero: -0, ratio: 1e21, big: 2n ** 64n, at: new Date(5), raw: new Uint8Array([0, 255]),
        config: { z: [null, undefined, true], a: NaN, Z: '' }, gone: undefined,
      };
      for (const keys of [Object.keys(row), Object.keys(row).toReversed()]) {
        const store = tableStore({ read: () => [Object.fromEntries(keys.map((key) => [key, row[key]]))] });
        equal((await store.get('a')).version, 'd82907e39c67fb6c06b93f1f62acc6068d3ce4532c0bb3bea8040156bd75fd79');
      }
    }],
    ['an exclusive runner owns a connection, and lets it go', async () => {
      const { registry } = world();
      const seen = [];
      const runner = new exclusive.ExclusiveRunner({
        registry, claims: new exclusive.MemoryClaims(), list: async () => ['a'],
        async run(tenure) {
          seen.push(tenure.id);
          tenure.assertHeld();
          await new Promise((resolve) => { tenure.signal.addEventListener('abort', resolve, { once: true }); });
        },
      });
      runner.start();
      for (let tries = 0; seen.length === 0 && tries < 500; tries += 1) await later(10);
      equal(seen, ['a']);
      await runner.stop();
      await registry.close();
    }],
    ['the inspector serves its page, and what it shows', async () => {
      const { registry } = world();
      await registry.use('a', () => {});
      const inspect = inspector.createInspector(registry, { authorize: () => true });
      const html = await (await inspect(new Request('http://gateway/connections'))).text();
      equal(html.startsWith('<!doctype html>'), true);
      const { rows } = await (await inspect(new Request('http://gateway/connections?view=data'))).json();
      equal(rows.map(({ id, state }) => `${id} ${state}`), ['a idle']);
      inspect.stop();
      await registry.close();
    }],
  ];
}

const later = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const turn = () => later(0);

async function hmac(secret, text) {
  const encoder = new TextEncoder();
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return Array.from(new Uint8Array(await crypto.subtle.sign('HMAC', key, encoder.encode(text))), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}

function equal(actual, expected) {
  const [came, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (came !== wanted) throw new Error(`expected ${wanted}, got ${came}`);
}
