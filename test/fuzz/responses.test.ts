import { describe, expect, test } from 'vitest';
import { RawConnection } from '../adapters/support/clients.js';
import { ADAPTERS, answering } from '../adapters/support/servers.js';
import { randomFrom } from '../properties/simulation/random.js';
import { campaignOf, collectUnhandled, useOddHandler } from './campaign.js';
import { messagesIn } from './http-messages.js';

const { count: COUNT, seed: SEED } = campaignOf(200);

const oddHandler = useOddHandler();

describe.each(Object.keys(ADAPTERS))('%s', (adapter) => {
  test(
    'no odd Response reaches the next request of its connection, ends the process or leaves the client waiting',
    { timeout: 120_000 },
    async () => {
      const random = randomFrom(SEED);
      const unhandled = collectUnhandled();
      const { port } = await ADAPTERS[adapter]!(answering(oddHandler(random)), { onError: () => undefined });

      let served = 0;
      let witnessed = 0;
      for (let index = 0; index < COUNT; index += 1) {
        const what = `seed ${SEED}, response ${index}`;
        const method = random.pick(['GET', 'GET', 'POST', 'HEAD']);
        const connection = await RawConnection.open(port);
        const ask = (verb: string, id: string): void => {
          connection.write(
            `${verb} /webhooks/${id} HTTP/1.1\r\nHost: h\r\n`
              + `${verb === 'POST' ? 'Content-Length: 2\r\n' : ''}\r\n${verb === 'POST' ? '{}' : ''}`,
          );
        };
        // A proxy too sends both before either is answered.
        ask(method, `odd-${index}`);
        ask('GET', `witness-${index}`);
        const carried = (): ReturnType<typeof messagesIn> =>
          messagesIn(connection.received, [method, 'GET'], connection.isClosed);
        await connection.until(() => carried().messages.length === 2);
        const {
          messages: [odd, witness],
          rest,
        } = carried();
        if (odd !== undefined) {
          served += 1;
          expect(odd.body, what).not.toContain('witness');
          expect(odd.head + odd.body, what).not.toMatch(/x-split| at .*\.(?:ts|js):\d+/);
        }
        if (witness !== undefined) {
          witnessed += 1;
          expect({ status: witness.status, body: witness.body, rest }, what).toEqual({
            status: 200,
            body: `(witness-${index})`,
            rest: '',
          });
        } else {
          expect({ wasCut: connection.isClosed, carriesTheNextResponse: rest.includes('(witness') }, what).toEqual({
            wasCut: true,
            carriesTheNextResponse: false,
          });
        }
        connection.socket.destroy();
      }
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      expect(unhandled).toEqual([]);
      expect(served, 'most could be answered').toBeGreaterThan(COUNT * 0.8);
      expect(witnessed, 'most left their connection usable').toBeGreaterThan(COUNT * 0.6);
    },
  );
});
