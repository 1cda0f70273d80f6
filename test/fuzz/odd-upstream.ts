import { createServer, type AddressInfo, type Server } from 'node:net';
import { gzipSync } from 'node:zlib';

/** Raw answers of a server that a tenant might run. `fetch` accepts each of them. */
const ANSWERS: Record<string, (marker: string) => Buffer> = {
  gzip: (marker) => gzipped(marker, 'Content-Encoding: gzip\r\n'),
  'gzip in chunks': (marker) => chunked(gzipSync(marker), 'Content-Encoding: gzip\r\n'),
  'a coding nobody knows': (marker) => known(Buffer.from(marker), 'Content-Encoding: of-its-own\r\n'),
  'a reason phrase beyond Latin-1': (marker) => known(Buffer.from(marker), '', '200 \u2713 fine'),
  'a trailer on a known length': (marker) => known(Buffer.from(marker), 'Trailer: x-sum\r\n'),
  'a trailer after chunks': (marker) => chunked(Buffer.from(marker), 'Trailer: x-sum\r\n', 'x-sum: 1\r\n'),
  'hop-by-hop headers': (marker) =>
    known(Buffer.from(marker), 'Keep-Alive: timeout=1\r\nConnection: keep-alive, x-hop\r\nX-Hop: 1\r\nTE: trailers\r\n'),
  'an upgrade nobody asked for': (marker) => known(Buffer.from(marker), 'Upgrade: h2c\r\nConnection: upgrade\r\n'),
  'no length': (marker) => Buffer.from(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${marker}`),
  'a status out of range': (marker) => known(Buffer.from(marker), '', '999 Denied'),
  'a body that ends early': (marker) =>
    Buffer.from(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5000\r\n\r\n${marker}`),
  '204': () => Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'),
  '304 with a length': () => Buffer.from('HTTP/1.1 304 Not Modified\r\nContent-Length: 300\r\nETag: "a"\r\n\r\n'),
};

/** The answers that the upstream can give. */
export const UPSTREAM_ANSWERS = Object.keys(ANSWERS);

function known(body: Buffer, headers: string, status = '200 OK'): Buffer {
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n${headers}\r\n`),
    body,
  ]);
}

function gzipped(marker: string, headers: string): Buffer {
  return known(gzipSync(marker.repeat(50)), headers);
}

function chunked(body: Buffer, headers: string, trailer = ''): Buffer {
  const head = Buffer.from(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${headers}\r\n${body.length.toString(16)}\r\n`);
  return Buffer.concat([head, body, Buffer.from(`\r\n0\r\n${trailer}\r\n`)]);
}

/** Listens on loopback. The path of a request is the number of an answer, its query the marker. */
export async function startUpstream(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (request) => {
      const [, index = '0', marker = ''] = /^GET \/(\d+)\?(\S*) /.exec(request.toString('latin1')) ?? [];
      const answer = ANSWERS[UPSTREAM_ANSWERS[Number(index)] ?? '204'];
      socket.end(answer?.(`[${marker}]`) ?? '');
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => { server.close(() => resolve()); }),
  };
}
