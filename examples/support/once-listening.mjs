import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A free loopback port. It is below the ports of outgoing connections (32768 and up on Linux), because one of those might
 * take it first.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  const port = 15_000 + Math.floor(Math.random() * 17_000);
  const server = createServer();
  const free = await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (!free) return freePort();
  await new Promise((resolve) => { server.close(() => resolve(undefined)); });
  return port;
}

/**
 * Waits until the port gives any HTTP answer.
 * @param {string} origin
 */
export async function onceListening(origin) {
  for (let tries = 0; ; tries++) {
    try {
      await (await fetch(origin)).arrayBuffer();
      return;
    } catch (error) {
      if (tries === 300) throw error;
      await delay(50);
    }
  }
}
