import { Agent, request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADAPTERS, answering } from '../../adapters/support/servers.js';
import { oddResponse } from '../../fuzz/odd-responses.js';
import { startUpstream } from '../../fuzz/odd-upstream.js';
import { randomFrom } from '../../properties/simulation/random.js';
import { startProxy } from '../support/proxies.mjs';

const COUNT = Number(process.env['FUZZ_COUNT'] ?? 100);
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);

interface Answer { readonly status: number; readonly text: string; readonly head: string }

/** One request on a connection of its own to the proxy: another client each time. */
function ask(port: number, method: string, id: string): Promise<Answer> {
  return new Promise((resolve) => {
    const lost = { status: 0, text: '', head: '' };
    const agent = new Agent({ keepAlive: false });
    const request = httpRequest(
      { host: '127.0.0.1', port, agent, method, path: `/webhooks/${id}`, timeout: 20_000 },
      (response) => {
        let text = '';
        const finish = (): void => {
          resolve({ status: response.statusCode ?? 0, text, head: JSON.stringify(response.headers) });
        };
        response
          .setEncoding('latin1')
          .on('data', (chunk: string) => {
            text += chunk;
          })
          .on('end', finish)
          .on('error', finish);
      },
    );
    request.on('error', () => { resolve(lost); }).on('timeout', () => { request.destroy(); });
    request.end(method === 'POST' ? '{}' : undefined);
  });
}

let upstream: Awaited<ReturnType<typeof startUpstream>>;
beforeAll(async () => { upstream = await startUpstream(); });
afterAll(() => upstream.close());

for (const name of ['nginx', 'haproxy'] as const) {
  const missing = await startProxy(name, 1).then((proxy) => proxy.stop(), (error: unknown) => String(error));
  if (missing !== undefined) {
    if (process.env['REQUIRE_SERVERS'] === '1') throw new Error(missing);
    process.stderr.write(
      `\n*** NO ${name.toUpperCase()}: ${missing}\n*** The tests that need it are SKIPPED. REQUIRE_SERVERS=1 makes `
        + `this a failure.\n\n`,
    );
  }

  describe.skipIf(missing !== undefined).each(Object.keys(ADAPTERS))(`behind ${name}, %s`, (adapter) => {
    test('no client gets bytes of the response to another', { timeout: 120_000 }, async () => {
      const random = randomFrom(SEED);
      let connections = 0;
      const { port, server } = await ADAPTERS[adapter]!(answering((_request, id) => (
        id.startsWith('witness') ? new Response(`(${id})`) : oddResponse(random, id, upstream.url)
      )), { onError: () => undefined });
      server.on('connection', () => { connections += 1; });
      const proxy = await startProxy(name, port);
      const wrong: string[] = [];
      let served = 0;
      try {
        for (let index = 0; index < COUNT; index += 1) {
          const method = random.pick(['GET', 'GET', 'POST', 'HEAD']);
          const [odd, ...witnesses] = await Promise.all([
            ask(proxy.port, method, `odd-${index}`),
            ...[0, 1].map((which) => ask(proxy.port, 'GET', `witness-${index}-${which}`)),
          ]);
          const after = await ask(proxy.port, 'GET', `witness-${index}-after`);
          if (
            /witness|odd-(?!\d)/.test(odd!.text)
            || [...odd!.text.matchAll(/odd-(\d+)/g)].some(([, whose]) => Number(whose) !== index)
          ) {
            wrong.push(`odd-${index}: ${odd!.text.slice(0, 200)}`);
          }
          for (const [which, witness] of [...witnesses.entries(), ['after', after] as const]) {
            const answeredByTheProxy = witness.status === 502 || witness.status === 503;
            if (witness.status === 200 && witness.text === `(witness-${index}-${which})`) served += 1;
            else if (!answeredByTheProxy)
              wrong.push(`witness-${index}-${which}: ${witness.status} ${witness.text.slice(0, 200)}`);
          }
        }
      } finally {
        await proxy.stop();
      }
      expect(wrong).toEqual([]);
      expect(served).toBeGreaterThan(COUNT * 3 * 0.9);
      expect(connections, 'connections were shared').toBeLessThan(COUNT * 3);
    });
  });
}
