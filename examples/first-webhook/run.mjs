/** Runs `gateway.mjs` as a process of its own, and sends it the README's requests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from '../support/build.mjs';
import { freePort, onceListening } from '../support/once-listening.mjs';

if (!isBuilt()) await build(AbortSignal.timeout(120_000));

const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const gateway = spawn(process.execPath, [fileURLToPath(new URL('./gateway.mjs', import.meta.url))], {
  env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'ignore', 'inherit'],
});
const exited = once(gateway, 'exit');
process.once('exit', () => gateway.kill('SIGKILL'));
try {
  await Promise.race([onceListening(origin), exited.then(() => { throw new Error('the gateway has ended'); })]);
  await send('acme', 's3cret');
  await send('acme', 'a guess');
  await send('nobody', 's3cret');
} finally {
  gateway.kill('SIGTERM');
  const [code, signal] = await exited;
  console.log(`SIGTERM: exit code ${code ?? signal}`);
}

/**
 * @param {string} id
 * @param {string} token
 */
async function send(id, token) {
  const response = await fetch(`${origin}/webhooks/${id}`, {
    method: 'POST',
    headers: { 'x-token': token },
    body: '{"name":"Ada"}',
  });
  console.log(`${id}, ${token}: ${response.status} ${await response.text()}`);
}
