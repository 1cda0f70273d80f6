import { describe, expect, test } from 'vitest';
import { plateau, RawConnection, send } from '../adapters/support/clients.js';
import { ADAPTERS } from '../adapters/support/servers.js';
import { sign, signingRegistry } from '../adapters/support/signing-registry.js';
import { randomFrom, type Random } from '../properties/simulation/random.js';
import { campaignOf, collectUnhandled } from './campaign.js';

const { count: COUNT, seed: SEED } = campaignOf(60);

const bytes = (random: Random, most: number): string =>
  String.fromCharCode(...Array.from({ length: random.below(most) }, () => random.below(256)));

/** A request that is almost right, or nothing like one. Half of them break off or lie about their length. */
function anything(random: Random): string {
  if (random.chance(0.1)) return bytes(random, 400);
  const method = random.pick(['POST', 'POST', 'GET', 'PUT', 'OPTIONS', 'TRACE', 'CONNECT', 'HEAD', 'B4D']);
  const target = random.pick([
    '/webhooks/c1',
    '/webhooks/',
    '/webhooks/%',
    '/webhooks/%00',
    '//webhooks//c1',
    '/webhooks/c1?%zz',
    '*',
    'http://evil/webhooks/c1',
    '/webhooks/../c1',
    `/webhooks/${'x'.repeat(random.below(9_000))}`,
  ]);
  const host = random.pick(['Host: h\r\n', 'Host: h\r\n', 'Host: \r\n', 'Host: a b\r\n', 'Host: [::1\r\n', '']);
  const body = bytes(random, 300).replaceAll('\0', 'x');
  const framing = random.pick([
    `Content-Length: ${body.length}\r\n`,
    `Content-Length: ${body.length + random.below(500)}\r\n`,
    `Content-Length: ${random.below(10)}\r\n`,
    'Content-Length: -1\r\n',
    'Content-Length: 1e3\r\n',
    `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`,
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: gzip, chunked\r\n',
    'Expect: 100-continue\r\nContent-Length: 5\r\n',
    'Expect: the unexpected\r\n',
    '',
  ]);
  const type = random.pick([
    '',
    'Content-Type: application/json\r\n',
    'Content-Type: multipart/form-data; boundary=x\r\n',
    `Content-Type: ${'/'.repeat(50)}\r\n`,
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
  ]);
  const payload = framing.includes('chunked')
    ? random.pick([`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`, 'zz\r\n', 'ffffffff\r\nx', `5\r\nabc`])
    : body;
  const version = `HTTP/1.${random.below(3)}`;
  const noise = random.chance(0.2) ? `${bytes(random, 60)}\r\n` : '';
  const whole = `${method} ${target} ${version}\r\n${host}${framing}${type}${noise}\r\n${payload}`;
  return random.chance(0.25) ? whole.slice(0, random.below(whole.length)) : whole;
}

describe.each(Object.keys(ADAPTERS))('%s', (adapter) => {
  test('keeps serving, whatever bytes arrive', { timeout: 60_000 }, async () => {
    const random = randomFrom(SEED);
    const unhandled = collectUnhandled();
    const { port, server } = await ADAPTERS[adapter]!(signingRegistry(), { maxBodyBytes: 1_000 });
    let answered = 0;
    for (let sent = 0; sent < COUNT; sent++) {
      const connection = await RawConnection.open(port);
      connection.write(Buffer.from(anything(random), 'latin1'));
      await plateau(() => connection.received.length);
      if (connection.received !== '') {
        answered++;
        expect(connection.received.slice(0, 9)).toMatch(/^HTTP\/1\.1 /);
      }
      expect(connection.received).not.toMatch(/ at .*\.(?:ts|js):\d+/);
      connection.socket.destroy();
      if (sent % 25 === 0) expect((await send(port, '/webhooks/c1', { body: 'well', headers: sign('well') })).status).toBe(200);
    }
    expect((await send(port, '/webhooks/c1', { body: 'well', headers: sign('well') })).status).toBe(200);
    await plateau(() => unhandled.length);
    expect(unhandled).toEqual([]);
    expect(server.listening).toBe(true);
    expect(answered).toBeGreaterThan(COUNT / 3);
  });
});
