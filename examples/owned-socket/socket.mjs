import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Logs in to the platform.
 *
 * @param {{ port: number, account: string, token: bigint, replica: string, signal: AbortSignal }} options
 */
export async function openSocket({ port, account, token, replica, signal }) {
  const socket = connect({ port, host: '127.0.0.1' });
  /** @type {Map<string, () => void>} */
  const accepted = new Map();
  const ended = once(socket, 'close').then(() => { throw new Error('the socket was closed'); });
  ended.catch(() => {});
  socket.on('error', () => {});
  const ready = new Promise((resolve) => {
    createInterface({ input: socket }).on('line', (line) => {
      const message = JSON.parse(line);
      if (message.ready === true) resolve(undefined);
      else accepted.get(message.accepted)?.();
    }).on('error', () => {});
  });
  socket.write(`${JSON.stringify({ login: account, token: String(token), replica })}\n`);
  const giveUp = () => socket.destroy();
  signal.addEventListener('abort', giveUp);
  await Promise.race([ready, ended]).finally(() => signal.removeEventListener('abort', giveUp));
  return {
    /** Rejects when the platform ends the socket. */
    ended,
    /** Resolves when the platform has it. @param {{ id: string, text: string }} message */
    async send({ id, text }) {
      const taken = new Promise((resolve) => { accepted.set(id, () => resolve(undefined)); });
      socket.write(`${JSON.stringify({ id, text })}\n`);
      await Promise.race([taken, ended]);
      accepted.delete(id);
    },
    /** Resolves when the platform has ended its side too, so that the next login is the only one. */
    async close() {
      if (socket.closed) return;
      const timer = setTimeout(() => socket.destroy(), 1_000);
      socket.end();
      await once(socket, 'close');
      clearTimeout(timer);
    },
  };
}
