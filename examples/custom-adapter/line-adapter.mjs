import { EventEmitter, once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * An adapter of your own: a client of a chat server that speaks lines over TCP. It does not know hydrant.
 *
 * It emits `message` (from, text) and, once, `closed` (error or undefined).
 */
export class LineAdapter extends EventEmitter {
  /** @type {import('node:net').Socket | undefined} */
  #socket;

  /** Logs in. @param {{ port: number, name: string, password: string }} account @param {{ signal: AbortSignal }} options */
  async connect({ port, name, password }, { signal }) {
    const socket = this.#socket = connect({ port, host: '127.0.0.1', signal });
    socket.on('error', () => {}); // 'closed' reports it
    socket.once('close', () => this.emit('closed', socket.errored ?? undefined));
    const lines = createInterface({ input: socket });
    lines.on('error', () => {});
    socket.write(`LOGIN ${name} ${password}\n`);
    const hungUp = once(this, 'closed').then(([error]) => { throw error ?? new Error('the server hung up'); });
    const [answer] = await Promise.race([once(lines, 'line'), hungUp]);
    if (answer !== 'WELCOME') throw new Error(`the server answered ${answer}`);
    lines.on('line', (line) => {
      const [, from, text] = /^MSG (\S+) (.*)$/.exec(line) ?? [];
      if (from !== undefined) this.emit('message', from, text);
    });
  }

  /** @param {string} to @param {string} text */
  say(to, text) {
    this.#socket?.write(`MSG ${to} ${text}\n`);
  }

  async close() {
    const socket = this.#socket;
    if (socket === undefined || socket.closed) return;
    // Not `once` of node:events, which rejects when the socket breaks instead of closing.
    const closed = new Promise((resolve) => { socket.once('close', resolve); });
    socket.end('QUIT\n');
    await closed;
  }
}
