// Stands between one replica and its server.
import { connect, createServer } from 'node:net';

/**
 * A TCP proxy whose `mode` says what becomes of bytes: `'pass'`; `'drop'`: nothing arrives on either side, and new
 * connections are accepted and never answered; `'swallow'`: requests are carried out, answers are lost.
 *
 * `silence()` makes every connection of this moment silent for good, without a reset; new ones work. So it is when a
 * host is lost, or a NAT has forgotten.
 */
export async function startProxy(port, host = '127.0.0.1') {
  const pairs = new Set();
  const proxy = { mode: 'pass' };
  const server = createServer((client) => {
    const upstream = connect(port, host);
    const pair = { client, upstream, spoiled: proxy.mode !== 'pass', silent: false };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    client.on('data', (chunk) => {
      if (proxy.mode === 'drop') pair.spoiled = true;
      else if (!pair.silent) upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      if (pair.silent) return;
      if (proxy.mode === 'pass') client.write(chunk);
      else pair.spoiled = true;
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(proxy, {
    port: server.address().port,
    cut(mode) { proxy.mode = mode; },
    silence() {
      for (const pair of pairs) pair.silent = true;
      return pairs.size;
    },
    /** Resets connections that have lost bytes, as a host that comes back resets those it does not know. */
    heal() {
      proxy.mode = 'pass';
      for (const pair of pairs) if (pair.spoiled) pair.client.destroy();
    },
    close() {
      server.close();
      for (const { client } of pairs) client.destroy();
    },
  });
}
