import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const source = (path: string): string => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));

describe('the conformance suites under node:test', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hydrant-runner-'));
    await build({
      entryPoints: [source('testing/index.ts'), source('index.ts')],
      bundle: true,
      splitting: true,
      platform: 'node',
      format: 'esm',
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      outbase: source(''),
    });
  }, 30_000);
  afterAll(() => rm(folder, { recursive: true }));

  async function run(suite: string): Promise<string> {
    const file = join(folder, 'suite.test.mjs');
    await writeFile(file, `import { describe, it } from 'node:test'; ${suite}`);
    const { NODE_OPTIONS: _, ...env } = process.env;
    return (
      await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file], { env }).catch(
        (error: { stdout: string }) => error,
      )
    ).stdout;
  }

  const store = (configOf: string): string => `
      import { MemoryStore } from './index.mjs';
      import { storeConformance } from './testing/index.mjs';
      storeConformance({ describe, it }, () => {
        const store = new MemoryStore();
        const write = (id, { status, config }) => store.put({ id, status, config });
        return { store, write, remove: (id) => store.delete(id), configOf: ${configOf} };
      });`;

  const factory = (onReset: string): string => `
      import { connect, createServer } from 'node:net';
      import { once } from 'node:events';
      import { factoryConformance } from './testing/index.mjs';
      factoryConformance({ describe, it }, async () => {
        const sockets = new Set();
        let received = 0;
        let mode = 'serve';
        const server = createServer((socket) => {
          sockets.add(socket.on('error', () => {}).on('close', () => { sockets.delete(socket); }));
          if (mode === 'reset') socket.resetAndDestroy();
          else socket.on('data', (data) => {
            if (String(data) === 'wrong') return void socket.end();
            received += 1;
            if (mode === 'serve') socket.write('ok');
          });
        });
        const listen = (port) => new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
        await listen(0);
        const { port } = server.address();
        const record = { id: 'a', version: 1, status: 'active', password: 'right' };
        return {
          factory: {
            async create({ password }, { signal, retire, onDispose }) {
              const socket = connect(port, '127.0.0.1');
              onDispose(() => { socket.destroy(); });
              socket.on('error', ${onReset}).on('close', retire);
              signal.addEventListener('abort', () => socket.destroy());
              socket.write(password);
              const ok = await new Promise((resolve) => { socket.once('data', resolve).once('close', () => resolve(false)); });
              if (!ok) throw new Error('the server hung up');
              return socket;
            },
          },
          record, failing: { ...record, password: 'wrong' },
          async behave(next) {
            mode = next;
            if (next === 'refuse') await new Promise((resolve) => { server.close(resolve); });
            else if (!server.listening) await listen(port);
          },
          open: () => sockets.size,
          received: () => received,
          use: async (socket) => { const answered = once(socket, 'data'); socket.write('hello'); await answered; },
          reset: () => { for (const socket of sockets) socket.resetAndDestroy(); },
          hangUp: () => { for (const socket of sockets) socket.end(); },
          close: () => { server.close(); },
        };
      }, { connected: true, timeoutMs: 1_000, lives: 10 });`;

  test('pass a correct factory, and find one whose reset would end the process', async () => {
    const right = await run(factory('() => {}'));
    expect(right).toMatch(/# pass 1\d/);
    expect(right).toContain('# fail 0');
    const broken = await run(factory("(error) => { throw error; }"));
    expect(broken).toMatch(/not ok \d+ - error: an 'error' event after the start/);
    expect(broken).toMatch(/# pass [5-9]/);
  }, 30_000);

  test('pass a correct store, and fail a broken one', async () => {
    const right = await run(store('(record) => record.config'));
    expect(right).toMatch(/# pass 1\d/);
    expect(right).toContain('# fail 0');
    expect(await run(store(`() => 'always the same'`))).toMatch(/not ok \d+ - get: returns the row/);
  }, 30_000);
});
