import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { FarSideMode } from 'hydrant/testing';

/** An HTTP API on loopback that can refuse, reset and hang, as a far side for the factory suite. */
export async function startFarSide(answer: RequestListener) {
  const sockets = new Set<Socket>();
  let mode: FarSideMode = 'serve';
  let received = 0;
  let hanging = 0;
  const server = createServer({ keepAlive: false }, (request, response) => {
    if (mode === 'reset') { request.socket.resetAndDestroy(); return; }
    received += 1;
    if (mode === 'hang') { hanging += 1; request.socket.on('close', () => { hanging -= 1; }); return; }
    // A client that kept connections alive would have some open after the end of an instance.
    response.setHeader('connection', 'close');
    answer(request, response);
  });
  server.on('connection', (socket) => { sockets.add(socket); socket.on('close', () => { sockets.delete(socket); }); });
  const listen = (port: number): Promise<void> => new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async behave(next: FarSideMode): Promise<void> {
      mode = next;
      if (next === 'refuse') { server.closeAllConnections(); await new Promise((resolve) => { server.close(resolve); }); }
      else if (!server.listening) await listen(port);
    },
    open: () => sockets.size,
    hanging: () => hanging,
    received: () => received,
    async close(): Promise<void> {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
