import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/** A chat server on loopback that lets each name in once, and keeps a log of what it sees. */
export async function startLineServer() {
  /** @type {string[]} */
  const log = [];
  /** @type {Map<string, import('node:net').Socket>} */
  const online = new Map();
  const sockets = new Set();
  let isSilent = false;
  let isCutting = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    let name = '';
    socket.on('error', () => {});
    if (isCutting) socket.resetAndDestroy();
    const lines = createInterface({ input: socket });
    lines.on('error', () => {}); // it repeats the errors of its socket
    lines.on('line', (line) => {
      const [verb, first = '', rest = ''] = /^(\w+) ?(\S*) ?(.*)$/.exec(line)?.slice(1) ?? [];
      log.push(verb === 'LOGIN' ? `LOGIN ${first}` : `${name}: ${line}`);
      if (isSilent) return;
      if (verb === 'LOGIN') {
        const isWelcome = rest !== 'wrong' && !online.has(first);
        if (isWelcome) online.set(name = first, socket);
        socket.write(isWelcome ? 'WELCOME\n' : online.has(first) ? 'ALREADY HERE\n' : 'DENIED\n');
      }
    });
    socket.once('close', () => {
      sockets.delete(socket);
      if (online.get(name) === socket) online.delete(name);
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    port: address.port,
    log,
    /** Connections that are open, logged in or not. */
    get open() { return sockets.size; },
    /** Answers nothing from now on, or again. @param {boolean} silent */
    silence(silent) { isSilent = silent; },
    /** Sets how it treats new connections. @param {'serve' | 'refuse' | 'reset' | 'hang'} mode */
    async behave(mode) {
      isSilent = mode === 'hang';
      isCutting = mode === 'reset';
      if (mode === 'refuse')
        await new Promise((resolve) => {
          server.close(() => resolve(undefined));
        });
      else if (!server.listening)
        await new Promise((resolve) => {
          server.listen(address.port, '127.0.0.1', () => resolve(undefined));
        });
    },
    /** Cuts all connections. */
    reset() { for (const socket of sockets) socket.resetAndDestroy(); },
    /** @param {string} name @param {string} text */
    tell(name, text) { online.get(name)?.write(`MSG ada ${text}\n`); },
    /** Hangs up on somebody. @param {string} name */
    drop(name) { online.get(name)?.end(); },
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => { server.close(() => resolve(undefined)); });
    },
  };
}
