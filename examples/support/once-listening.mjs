import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A loopback port that was free a moment ago. @returns {Promise<number>} */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const address = server.address();
  await new Promise((resolve) => { server.close(() => resolve(undefined)); });
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/**
 * Waits until something answers HTTP there, whatever the answer.
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
