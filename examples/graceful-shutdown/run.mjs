/**
 * Ends the gateway as Kubernetes does, with a slow request in flight, and watches it from outside. The vendor that the bots
 * call is a server on loopback. It holds back its answer to the slow request.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, onceListening } from '../support/once-listening.mjs';

/** @type {string[]} */
const asked = [];
/** @type {() => void} */
let answerTheSlowOne = () => {};
const released = new Promise((resolve) => { answerTheSlowOne = () => resolve(undefined); });

const vendor = createServer(async (request, response) => {
  asked.push(request.url ?? '');
  if (request.url === '/slow') await released;
  response.end(`an answer to ${request.url}`);
}).listen(0, '127.0.0.1');
await once(vendor, 'listening');
const address = /** @type {import('node:net').AddressInfo} */ (vendor.address());

const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const gateway = spawn(process.execPath, [fileURLToPath(new URL('./gateway.mjs', import.meta.url))], {
  env: { ...process.env, PORT: String(port), VENDOR: `http://127.0.0.1:${address.port}`, NOTICE_MS: '2000' },
  stdio: ['ignore', 'inherit', 'inherit'],
});
const exited = once(gateway, 'exit');
process.once('exit', () => gateway.kill('SIGKILL'));

await onceListening(origin);
console.log(`ready                            → ${await ready()}`);
const slow = send('slow');
while (!asked.includes('/slow') || !asked.includes('/poll')) await wait(10);

gateway.kill('SIGTERM');
while (await ready() === 200) await wait(10);
console.log(`SIGTERM: ready                   → ${await ready()}`);
while (!asked.includes('/stop-polling')) await wait(10);
console.log(`the loop has stopped; ready      → ${await ready()}`);
console.log(`one the balancer still sends     → ${await send('late')}`);

while (await ready() !== 'refused') await wait(10);
console.log(`then: a new connection           → ${await ready()}`);
answerTheSlowOne();
console.log(`the one that was in flight       → ${await slow}`);
console.log(`exit code                        → ${(await exited)[0]}`);
console.log(`work after its response was done → ${asked.includes('/slow-was-answered') ? 'yes' : 'no'}`);
console.log(
  `the bot was logged out           → ${asked.filter((path) => path === '/log-out').length} ×, `
    + `${asked.at(-1) === '/log-out' ? 'last of all' : 'too early'}`,
);
vendor.close();

/** @returns {Promise<number | 'refused'>} */
async function ready() {
  try {
    const { status } = await fetch(`${origin}/ready`, { headers: { connection: 'close' } });
    return status;
  } catch {
    return 'refused';
  }
}

/** @param {string} question */
async function send(question) {
  const response = await fetch(`${origin}/webhooks/acme`, {
    method: 'POST',
    body: question,
    headers: { authorization: 'let me in' },
  });
  return `${response.status} ${await response.text()}`;
}
