/**
 * Runs `gateway.mjs` as a process of its own against a fake Slack API on loopback. Sends it a genuine command, a forged one,
 * and one for a workspace that is not installed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build, isBuilt } from '../support/build.mjs';
import { startFakeSlackApi } from '../support/fake-slack-api.mjs';
import { freePort, onceListening } from '../support/once-listening.mjs';
import { slashCommand } from '../support/slack-sender.mjs';

if (!isBuilt()) {
  console.log('building the package, because its dist folder is missing or older than its source …');
  await build(AbortSignal.timeout(120_000));
}

const slack = await startFakeSlackApi();
const port = await freePort();
const origin = `http://127.0.0.1:${port}`;
const gateway = spawn(process.execPath, [fileURLToPath(new URL('./gateway.mjs', import.meta.url))], {
  env: { ...process.env, PORT: String(port), SLACK_API_URL: slack.url },
  stdio: ['ignore', 'ignore', 'inherit'],
});
const exited = once(gateway, 'exit');
process.once('exit', () => gateway.kill('SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
try {
  const ended = exited.then(() => { throw new Error('the gateway has ended'); });
  await Promise.race([onceListening(origin), ended]);
  await show('a slash command, signed by Slack', 'acme', slashCommand({ signingSecret: 'shh' }));
  await show('a forged one', 'acme', slashCommand({ signingSecret: 'a guess' }));
  await show('a workspace that is not installed', 'nobody', slashCommand({ signingSecret: 'shh' }));
} finally {
  gateway.kill('SIGTERM');
  const [code, signal] = await exited;
  console.log(`SIGTERM                            → exit code ${code ?? signal}`);
  await slack.close();
  console.log(`Slack was called: ${[...slack.calls].map(([method, count]) => `${count} × ${method}`).join(', ')}`);
  for (const { channel, text } of slack.messages) console.log(`the bot said in ${channel}: ${text}`);
}

/**
 * @param {string} what
 * @param {string} id
 * @param {ReturnType<typeof slashCommand>} request
 */
async function show(what, id, request) {
  const response = await fetch(`${origin}/webhooks/${id}`, request);
  console.log(`${what.padEnd(34)} → ${response.status} ${await response.text()}`.trimEnd());
}
