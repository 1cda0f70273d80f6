import { toNodeHandler } from 'hydrant/node';
import { expect, test } from 'vitest';
import { listen } from '../adapters/support/servers.js';
import { deferred } from '../support/deferred.js';

test('a body that fails half-way fails at the client, also if middleware has set transfer-encoding', async () => {
  const fails = deferred<void>();
  const handler = toNodeHandler(() => {
    let isBegun = false;
    return new Response(new ReadableStream({
      async pull(controller) {
        if (isBegun) await fails.promise;
        if (isBegun) throw new Error('of the source');
        isBegun = true;
        await new Promise(setImmediate);
        controller.enqueue(new TextEncoder().encode('half'));
      },
    }, { highWaterMark: 0 }));
  }, { onError: () => {} });
  const { port } = await listen((req, res) => handler(req, res.setHeader('transfer-encoding', 'chunked')));
  const response = await fetch(`http://127.0.0.1:${port}/`);
  const text = response.text();
  fails.resolve();
  await expect(text).rejects.toThrow();
});
