import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtCopy } from './built-copy.js';
import { example, listening } from './support.js';

describe("the Kubernetes guide's sequence, with a claim store that hangs from SIGTERM on", () => {
  let copy: string;
  let gateway: ChildProcess | undefined;
  beforeAll(async () => { copy = await builtCopy(); }, 60_000);
  afterAll(() => {
    gateway?.kill('SIGKILL');
    rmSync(copy, { recursive: true, force: true });
  });

  test('the probe fails at once, webhooks are served, the loop stops, and the process ends in time', async () => {
    const asked: string[] = [];
    await using vendor = await listening((request, response) => {
      asked.push(request.url ?? '');
      response.end('ok');
    });
    const { freePort, onceListening } = await example('support/once-listening.mjs');
    const port: number = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    gateway = spawn(process.execPath, [`${copy}/examples/graceful-shutdown/gateway.mjs`], {
      env: { ...process.env, PORT: String(port), VENDOR: vendor.origin, NOTICE_MS: '500', CLAIMS: 'hang' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exited = once(gateway, 'exit');
    await onceListening(origin);
    while (!asked.includes('/poll')) await wait(10);

    const signalledAt = performance.now();
    gateway.kill('SIGTERM');
    let status = 200;
    while (status === 200) ({ status } = await fetch(`${origin}/ready`));
    expect(status).toBe(503);
    const late = await fetch(`${origin}/webhooks/acme`, {
      method: 'POST',
      body: 'late',
      headers: { authorization: 'let me in' },
    });
    expect(late.status).toBe(200);
    const [code] = await exited as [number | null];
    const tookMs = performance.now() - signalledAt;
    expect(code).toBe(0);
    expect(asked).toContain('/stop-polling');
    expect(asked.at(-1)).toBe('/log-out');
    const stopTimeoutMs = 1_000;
    const forTheStoreMs = 1_000;
    const forASlowMachineMs = 3_000;
    expect(tookMs).toBeGreaterThan(stopTimeoutMs + forTheStoreMs - 100);
    expect(tookMs).toBeLessThan(stopTimeoutMs + forTheStoreMs + forASlowMachineMs);
  }, 60_000);
});
