import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { createWebSocketStream, WebSocketServer } from 'ws';

/**
 * A proxy like Neon's on loopback: queries by HTTP, and PostgreSQL's own protocol over WebSockets.
 * The database behind it is real.
 */
export async function startNeonProxy(databaseUrl: string): Promise<{ readonly port: number; close(): Promise<void> }> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 4 });
  pool.on('error', () => {});
  const server = createServer((request, response) => void answer(pool, request, response));
  const sockets = new WebSocketServer({ server });
  const { hostname, port } = new URL(databaseUrl);
  sockets.on('connection', (socket) => {
    const stream = createWebSocketStream(socket);
    const database = connect(Number(port), hostname);
    for (const one of [stream, database]) one.on('error', () => { stream.destroy(); database.destroy(); });
    stream.pipe(database).pipe(stream);
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      await new Promise((resolve) => { (server as Server).close(resolve); });
      await pool.end();
    },
  };
}

/** Values travel as PostgreSQL's own texts, in arrays. */
async function answer(pool: pg.Pool, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { query, params } = JSON.parse(await text(request)) as { query: string; params: unknown[] };
    const types = { getTypeParser: () => (value: unknown) => value };
    const { fields, rows, command, rowCount } = await pool.query({
      text: query,
      values: params,
      rowMode: 'array',
      types,
    } as pg.QueryArrayConfig);
    response.end(JSON.stringify({ fields, rows, command, rowCount, rowAsArray: true }));
  } catch (error) {
    const { message, code } = error as pg.DatabaseError;
    response.writeHead(400).end(JSON.stringify({ message, code }));
  }
}
