import { EventEmitter, once } from 'node:events';
import { openSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { ConnectionRecord, HydrationContext, InstanceFactory } from 'hydrant';
import type { FactoryUnderTest, FarSideMode } from 'hydrant/testing';

export interface Account extends ConnectionRecord { readonly port: number; readonly password: string }

/**
 * A client as mail and chat libraries write them: an emitter of `message`, `close`, and `error`, which ends the
 * process when nobody listens.
 */
export class Mailbox extends EventEmitter {
  readonly socket: Socket;
  timer: NodeJS.Timeout | undefined;

  constructor({ port }: Account) {
    super();
    this.socket = connect({ port, host: '127.0.0.1' });
    this.socket.on('error', (error) => this.emit('error', error));
    this.socket.on('close', () => this.emit('close'));
    this.socket.on('data', (data) => { for (const line of String(data).split('\n').filter(Boolean)) this.emit('line', line); });
  }

  async login({ password }: Account): Promise<void> {
    this.socket.write(`LOGIN ${password}\n`);
    // Not `events.once`, which listens for 'error' as well, and so hides a listener that is missing.
    const answer = await new Promise<string>((resolve, reject) => {
      this.once('line', resolve);
      this.once('close', () => reject(new Error('the server hung up')));
    });
    if (answer !== 'WELCOME') throw new Error('the server denied the login');
    this.on('line', (line) => this.emit('message', line));
  }

  say(text: string): void {
    if (!this.socket.writable) throw new Error('the socket is closed');
    this.socket.write(`SAY ${text}\n`);
  }

  async logout(): Promise<void> {
    if (this.socket.closed) return;
    this.socket.destroy();
    await once(this.socket, 'close');
  }
}

type Context = HydrationContext<any> & { readonly superseded?: AbortSignal };

/** The parts of a right factory, each of which can be broken by itself. */
export interface Parts {
  closesWhatFailed: boolean;
  heedsItsSignal: boolean;
  listensForErrors: boolean;
  retires: boolean;
  stopsItsTimer: boolean;
  maySayGoodbyeTwice: boolean;
  heedsSupersession: boolean;
  endsInTime: boolean;
  leavesTheSharedAlone: boolean;
  heedsEarlySupersession: boolean;
  stopsItsQuietTimer: boolean;
  closesItsFile: boolean;
  leavesTheProcessAlone: boolean;
  tidiesUpAfterAFailure: boolean;
  catchesItsRejections: boolean;
}

export const RIGHT: Parts = {
  closesWhatFailed: true,
  heedsItsSignal: true,
  listensForErrors: true,
  retires: true,
  stopsItsTimer: true,
  maySayGoodbyeTwice: true,
  heedsSupersession: true,
  endsInTime: true,
  leavesTheSharedAlone: true,
  heedsEarlySupersession: true,
  stopsItsQuietTimer: true,
  closesItsFile: true,
  leavesTheProcessAlone: true,
  tidiesUpAfterAFailure: true,
  catchesItsRejections: true,
};

/** A factory of mailboxes over a server on loopback. */
export async function mailboxes(
  broken: Partial<Parts> = {},
  options: { exclusive?: boolean; drainFirst?: boolean } = {},
): Promise<FactoryUnderTest<Account, Mailbox>> {
  const parts = { ...RIGHT, ...broken };
  const server = await startMailServer(options.exclusive ?? false);
  const shared = new EventEmitter().setMaxListeners(0);
  let heard = 0;

  async function create(account: Account, { signal, superseded, retire, onDispose }: Context): Promise<Mailbox> {
    signal.throwIfAborted();
    const mailbox = new Mailbox(account);
    if (parts.closesWhatFailed) onDispose(() => mailbox.logout());
    if (parts.listensForErrors)
      mailbox.on('error', (error) => {
        if (parts.retires) retire(error);
      });
    const abort = (): void => {
      mailbox.socket.destroy();
    };
    if (!parts.tidiesUpAfterAFailure) mailbox.once('close', () => mailbox.timer ?? setInterval(() => {}, 1_000));
    if (!parts.catchesItsRejections) void once(mailbox, 'close').then(() => { throw new Error('the server hung up'); });
    if (parts.heedsItsSignal) signal.addEventListener('abort', abort, { once: true });
    await mailbox.login(account);
    signal.removeEventListener('abort', abort);
    if (parts.retires) mailbox.on('close', () => retire(new Error('the server hung up')));
    let ignores = (): boolean => superseded?.aborted ?? false;
    if (!parts.heedsSupersession) ignores = () => false;
    if (!parts.heedsEarlySupersession) {
      let late = false;
      superseded?.addEventListener('abort', () => { late = true; });
      ignores = () => late;
    }
    mailbox.on('message', () => { if (!ignores()) heard += 1; });
    if (!parts.stopsItsQuietTimer) setInterval(() => {}, 60_000).unref();
    if (!parts.closesItsFile) openSync('/dev/null', 'r');
    if (!parts.leavesTheProcessAlone) process.on('exit', () => {});
    mailbox.timer = setInterval(() => {
      if (mailbox.socket.writable) mailbox.say('still here');
      else server.received += 1;
    }, 20);
    const listener = (): void => {};
    shared.on('tick', listener);
    if (parts.leavesTheSharedAlone)
      onDispose(() => {
        shared.off('tick', listener);
      });
    return mailbox;
  }

  const factory: InstanceFactory<Account, Mailbox> = {
    create,
    async dispose(mailbox) {
      if (!parts.maySayGoodbyeTwice) mailbox.say('goodbye');
      if (parts.stopsItsTimer) clearInterval(mailbox.timer);
      await mailbox.logout();
      if (!parts.endsInTime) await new Promise(() => {});
    },
    ...(options.drainFirst === true && { replacement: 'drain-first' as const }),
  };
  const record: Account = { id: 'a', version: 1, status: 'active', port: server.port, password: 'right' };
  return {
    factory,
    record,
    failing: { ...record, password: 'wrong' },
    behave: (mode) => server.behave(mode),
    open: () => server.sockets.size,
    reset: () => {
      for (const socket of server.sockets) socket.resetAndDestroy();
    },
    hangUp: () => {
      for (const socket of server.sockets) socket.end();
    },
    use: async (mailbox) => {
      const before = server.received;
      mailbox.say('hello');
      while (server.received === before) await new Promise(setImmediate);
    },
    received: () => server.received,
    push: async () => {
      for (const socket of server.sockets) socket.write('NEWS\n');
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    },
    heard: () => heard,
    listeners: () => shared.listenerCount('tick'),
    close: () => server.close(),
  };
}

async function startMailServer(exclusive: boolean) {
  const sockets = new Set<Socket>();
  let mode: FarSideMode = 'serve';
  const seen = { received: 0 };
  const listen = (server: Server, port: number): Promise<void> =>
    new Promise((resolve) => {
      server.listen(port, '127.0.0.1', resolve);
    });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => { sockets.delete(socket); });
    if (mode === 'reset') { socket.resetAndDestroy(); return; }
    socket.on('data', (data) => {
      if (mode === 'hang') return;
      for (const line of String(data).split('\n').filter(Boolean)) {
        if (!line.startsWith('LOGIN')) { seen.received += 1; continue; }
        if (exclusive) for (const other of sockets) if (other !== socket) other.destroy();
        socket.write(line === 'LOGIN right' ? 'WELCOME\n' : 'DENIED\n');
      }
    });
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  return Object.assign(seen, {
    port, sockets,
    async behave(next: FarSideMode): Promise<void> {
      mode = next;
      if (next === 'refuse') await new Promise((resolve) => { server.close(resolve); });
      else if (!server.listening) await listen(server, port);
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise((resolve) => { server.close(resolve); });
    },
  });
}
