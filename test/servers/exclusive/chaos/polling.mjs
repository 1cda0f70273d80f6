// The common part of both kinds of replica: one socket to the provider, and commands from the harness.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export const config = JSON.parse(process.argv[2]);
export const ids = Array.from({ length: config.connections }, (_, index) => `c${index}`);

const socket = connect(config.providerPort, '127.0.0.1');
socket.setNoDelay(true);
await new Promise((resolve) => socket.once('connect', resolve));

/** Written to the kernel before this returns: nothing is left in a buffer that a pause could hold back. */
export function poll(id, token) {
  if (socket.writableLength === 0) socket.write(`${config.name} ${id} ${token}\n`);
}

/** Until the next poll of one connection. */
export const pause = (signal) => sleep(config.pollMs * (0.5 + Math.random()), undefined, { signal }).catch(() => {});

/** Commands that both kinds of replica obey; `others` may add some. */
export function obey(others) {
  process.on('message', ({ command, ms }) => {
    if (command === 'block') {
      const until = performance.now() + ms;
      while (performance.now() < until);
    } else {
      others[command]?.(ms);
    }
  });
  process.on('disconnect', () => process.exit());
}
