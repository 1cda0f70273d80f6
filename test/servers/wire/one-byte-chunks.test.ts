import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

/* A sender chooses its chunks. However small they are, a body may not take much more memory than it has bytes. */

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const HEAP_MIB = 128;
const MAX_BODY_BYTES = 1024 * 1024;
/** Memory for the sockets, parsers and requests of that many connections, without their bodies. */
const BESIDES_BYTES = 2 * 1024 * 1024;

let folder = '';
beforeAll(async () => {
  // Inside the project, so that the frameworks are found.
  folder = await mkdtemp(join(ROOT, 'node_modules/.one-byte-chunks-'));
  await build({
    entryPoints: [join(ROOT, 'test/servers/wire/support/gateway-process.ts')],
    outfile: join(folder, 'gateway.mjs'), bundle: true, format: 'esm', platform: 'node', packages: 'external',
    alias: {
      'hydrant/node': join(ROOT, 'src/adapters/node.ts'),
      'hydrant/express': join(ROOT, 'src/adapters/express.ts'),
      'hydrant/fastify': join(ROOT, 'src/adapters/fastify.ts'),
      hydrant: join(ROOT, 'src/index.ts'),
    },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Memory { readonly heldBytes: number; readonly rss: number }

interface Gateway { readonly port: number; readonly child: ChildProcess; memory(): Promise<Memory> }

async function gateway(framework: string, ...slow: string[]): Promise<Gateway> {
  const child = fork(join(folder, 'gateway.mjs'), [framework, ...slow], {
    execArgv: ['--expose-gc', `--max-old-space-size=${HEAP_MIB}`],
  });
  onTestFinished(() => void child.disconnect());
  const ended = once(child, 'exit').then(([code, reason]) => { throw new Error(`the gateway ended with ${code ?? reason}`); });
  ended.catch(() => undefined);
  const answer = async <T>(): Promise<T> => (await Promise.race([once(child, 'message'), ended]))[0] as T;
  const { port } = await answer<{ port: number }>();
  const memory = (): Promise<Memory> => {
    const answered = answer<Memory>();
    child.send('memory');
    return answered;
  };
  return { port, child, memory };
}

async function open(port: number, head: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(`POST /webhooks/c1 HTTP/1.1\r\nHost: h\r\n${head}\r\n`);
  return socket;
}

const written = (socket: Socket, data: string): Promise<void> =>
  new Promise((resolve) => {
    socket.write(data, () => resolve());
  });

/** Waits until the gateway has received everything: its memory no longer changes. */
async function settled(memory: () => Promise<Memory>): Promise<Memory> {
  let last = await memory();
  for (;;) {
    await new Promise((resolve) => { setTimeout(resolve, 250); });
    const now = await memory();
    if (Math.abs(now.heldBytes - last.heldBytes) < 16 * 1024) return now;
    last = now;
  }
}

const MIB = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

async function tripled(framework: string, ...slow: string[]): Promise<void> {
  const { port, memory } = await gateway(framework, ...slow);
  const sockets = await Promise.all(Array.from({ length: 16 }, () => open(port, 'Transfer-Encoding: chunked\r\n')));
  const before = await settled(memory);
  const each = 96 * 1024;
  const part = '1\r\nx\r\n'.repeat(4 * 1024);
  for (let sent = 0; sent < each; sent += 4 * 1024) await Promise.all(sockets.map((socket) => written(socket, part)));
  const after = await settled(memory);
  const received = each * sockets.length;
  const held = after.heldBytes - before.heldBytes;
  const what = [framework, ...slow].join(', ');
  console.log(`${what}: ${MIB(received)} received, ${MIB(held)} held (${(held / received).toFixed(1)} times), `
    + `RSS ${MIB(before.rss)} → ${MIB(after.rss)}`);
  expect(held).toBeLessThan(3 * received + BESIDES_BYTES);
  expect(after.rss).toBeLessThan(2 * HEAP_MIB * 1024 * 1024 + before.rss);
}

describe.each(['node', 'a handler that reads the text', 'express', 'fastify', 'hono'])('%s', (framework) => {
  test('bodies in one-byte chunks use at most three times the bytes received', { timeout: 120_000 }, () => tripled(framework));

  test('nothing beyond maxBodyBytes is kept, whatever is sent', { timeout: 120_000 }, async () => {
    const { port, memory } = await gateway(framework);
    const before = await settled(memory);
    const sockets = await Promise.all(Array.from({ length: 8 }, () => open(port, 'Transfer-Encoding: chunked\r\n')));
    const part = `1000\r\n${'x'.repeat(4_096)}\r\n`.repeat(16);
    let answers = '';
    for (const socket of sockets) socket.on('data', (data) => { answers += String(data); });
    for (let sent = 0; sent < 4 * MAX_BODY_BYTES; sent += 64 * 1024)
      await Promise.race([
        Promise.all(sockets.map((socket) => written(socket, part))),
        new Promise((resolve) => { setTimeout(resolve, 200); }),
      ]);
    const after = await settled(memory);
    // A sender that goes on sending may be cut off before it has read its 413.
    await expect.poll(() => sockets.filter(({ closed }) => !closed)).toHaveLength(0);
    expect(answers.match(/HTTP\/1\.1 \d+ /g)).toContain('HTTP/1.1 413 ');
    expect(answers).not.toMatch(/HTTP\/1\.1 (?!413)/);
    expect(after.heldBytes - before.heldBytes).toBeLessThan(sockets.length * MAX_BODY_BYTES);
  });
});

test.each(['express', 'fastify'])(
  '%s: so do bodies that arrive while the row is read', { timeout: 120_000 }, (framework) => tripled(framework, 'slow'),
);

test('hono: bodies of a known length in one-byte segments are not kept one by one', { timeout: 120_000 }, async () => {
  const { port, memory } = await gateway('hono');
  const sockets = await Promise.all(Array.from({ length: 16 }, () => open(port, 'Content-Length: 16384\r\n')));
  const before = await settled(memory);
  const each = 2_000;
  const untilTheByteIsRead = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, 2); });
  for (let sent = 0; sent < each; sent += 1) {
    for (const socket of sockets) socket.write('x');
    await untilTheByteIsRead();
  }
  const after = await settled(memory);
  const held = after.heldBytes - before.heldBytes;
  console.log(`hono, known length: ${MIB(each * sockets.length)} received, ${MIB(held)} held`);
  // The framework's own list is kept for the first 32 KiB that were announced. A byte of it takes about 200.
  expect(held).toBeLessThan(3 * each * sockets.length + 300 * 2 * each + BESIDES_BYTES);
});
