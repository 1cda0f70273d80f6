import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionRegistry, MemoryStore } from 'hydrant';
import { toNodeHandler } from 'hydrant/node';
import { afterEach, describe, expect, test } from 'vitest';

/*
 * The configurations of examples/fleet in front of three gateways. The proxies are other processes with clocks of their
 * own, so this waits for what they notice.
 */
const CONNECTIONS = 150;
const ids = Array.from({ length: CONNECTIONS }, (_, n) => `connection-${n}`);

interface Proxy {
  readonly file: string;
  readonly binary: string;
  readonly parameters: (config: string, folder: string) => string[];
}
const PROXIES: Record<string, Proxy> = {
  nginx: {
    file: 'nginx.conf',
    binary: 'nginx',
    parameters: (config, folder) => [
      '-c',
      config,
      '-p',
      folder,
      '-g',
      `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;`,
    ],
  },
  haproxy: { file: 'haproxy.cfg', binary: 'haproxy', parameters: (config) => ['-db', '-f', config] },
};

function isInstalled(binary: string): boolean {
  try {
    execFileSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${binary}`]);
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => { for (const end of ends.splice(0).toReversed()) await end(); });

/** A gateway that says which one it is, and can be lost and come back at its port. */
async function gateway(name: string, port: number) {
  let creates = 0;
  let registry: ConnectionRegistry<any, any>;
  let server: Server;
  async function start(): Promise<void> {
    registry = new ConnectionRegistry({
      store: new MemoryStore(ids.map((id) => ({ id }))),
      factory: { create: () => { creates += 1; return {}; }, authenticate: () => true, handleWebhook: () => new Response(name) },
    });
    const handle = toNodeHandler((request) => {
      const { pathname } = new URL(request.url);
      return pathname === '/ready' ? new Response('ready') : registry.handleWebhook(pathname.split('/')[2] ?? '', request);
    });
    server = createServer(handle).listen(port, '127.0.0.1');
    await once(server, 'listening');
  }
  async function stop(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => { server.close(resolve); });
    await registry.close();
  }
  await start();
  ends.push(stop);
  return { start, stop, creates: () => creates };
}

async function fleet({ file, binary, parameters }: Proxy) {
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
  const [front] = ports.slice(3);
  const gateways = await Promise.all(['a', 'b', 'c'].map((name, n) => gateway(name, ports[n] ?? 0)));
  const folder = await mkdtemp(join(tmpdir(), 'hydrant-fleet-'));
  const text = await readFile(new URL(`../../../examples/fleet/${file}`, import.meta.url), 'utf8');
  const config = join(folder, file);
  await writeFile(
    config,
    text.replaceAll(
      /127\.0\.0\.1:(300[123]|8080)/g,
      (_all, port: string) => `127.0.0.1:${port === '8080' ? front : ports[Number(port) - 3001]}`,
    ),
  );
  const proxy = spawn(binary, parameters(config, folder), {
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
    stdio: 'ignore',
  });
  ends.push(async () => {
    const gone = once(proxy, 'exit');
    proxy.kill('SIGTERM');
    await gone;
    await rm(folder, { recursive: true });
  });
  const base = `http://127.0.0.1:${front}`;
  /** Which gateway serves a connection; the status where none does. */
  async function whoServes(id: string): Promise<string> {
    const response = await fetch(`${base}/webhooks/${id}`, { method: 'POST', body: '{}' }).catch(() => undefined);
    return response === undefined ? 'none' : response.ok ? await response.text() : String(response.status);
  }
  const map = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const id of ids) found.push(await whoServes(id));
    return found;
  };
  for (let turn = 0; turn < 100 && !['a', 'b', 'c'].includes(await whoServes(ids[0] as string)); turn += 1) await delay(100);
  return { gateways, map, creates: () => gateways.map(({ creates }) => creates()) };
}

for (const [name, proxy] of Object.entries(PROXIES)) {
  describe.skipIf(!isInstalled(proxy.binary) && process.env['REQUIRE_SERVERS'] !== '1')(`three gateways behind ${name}`, () => {
    test('each connection stays on one replica, and a lost replica moves only its own', async () => {
      const { gateways, map, creates } = await fleet(proxy);
      const before = await map();
      expect(await map()).toEqual(before);
      const spread = ['a', 'b', 'c'].map((one) => before.filter((other) => other === one).length);
      expect({ creates: creates(), spread: spread.every((share) => share > CONNECTIONS / 6) }).toEqual({
        creates: spread,
        spread: true,
      });

      await gateways[1]?.stop();
      const lost = await map();
      expect(lost.filter((one) => one !== 'a' && one !== 'c'), 'every delivery is answered').toEqual([]);
      expect(lost.filter((one, n) => before[n] !== 'b' && one !== before[n])).toEqual([]);

      await gateways[1]?.start();
      let back = await map();
      for (let turn = 0; turn < 40 && String(back) !== String(before); turn += 1) { await delay(250); back = await map(); }
      expect(back).toEqual(before);
    }, 90_000);
  });
}
