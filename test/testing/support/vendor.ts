import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Socket } from 'node:net';
import type { FarSideMode } from 'hydrant/testing';

/** A Slack Web API on loopback that can refuse, hang up and hang, as a far side for the factory suite. */
export async function startVendor() {
  const sockets = new Set<Socket>();
  let mode: FarSideMode = 'serve';
  let received = 0;
  let pending = 0;
  const server = createServer({ keepAlive: false }, (request, response) => {
    if (mode === 'reset') { request.socket.resetAndDestroy(); return; }
    received += 1;
    if (mode === 'hang') { pending += 1; request.socket.on('close', () => { pending -= 1; }); return; }
    request.resume();
    const ok = request.headers.authorization === 'Bearer xoxb-good';
    const answer = ok
      ? { ok: true, user: 'bot', user_id: 'U1', bot_id: 'B1', channel: 'C1', ts: '1.1', message: { ts: '1.1', text: 'x' } }
      : { ok: false, error: 'invalid_auth' };
    response.setHeader('content-type', 'application/json').setHeader('connection', 'close').end(JSON.stringify(answer));
  });
  server.on('connection', (socket) => { sockets.add(socket); socket.on('close', () => { sockets.delete(socket); }); });
  const listen = (port: number): Promise<void> => new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/api/`,
    async behave(next: FarSideMode): Promise<void> {
      mode = next;
      if (next === 'refuse') { server.closeAllConnections(); await new Promise((resolve) => { server.close(resolve); }); }
      else if (!server.listening) await listen(port);
    },
    /** A call that hangs stands until the client gives it up: the SDK takes no signal, so it does not count as open. */
    open: () => sockets.size - pending,
    received: () => received,
    async close(): Promise<void> {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
