import { expect, test } from 'vitest';
import { RawConnection } from '../adapters/support/clients.js';
import { ADAPTERS, answering } from '../adapters/support/servers.js';

test.each(Object.keys(ADAPTERS))('%s: text behind the anchor of a target is not a query', async (adapter) => {
  const { port } = await ADAPTERS[adapter]!(answering((request) => new Response(`query: ${new URL(request.url).search}.`)));
  const connection = await RawConnection.open(port);
  connection.write('GET /webhooks/c1#b?signature=forged HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  expect(await connection.untilClosed()).not.toContain('signature');
});
