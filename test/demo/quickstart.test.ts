import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const RUN = fileURLToPath(new URL('../../examples/quickstart/run.mjs', import.meta.url));

it('the quickstart answers a signed slash command, refuses a forged one, and ends on SIGTERM', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [RUN], { timeout: 150_000 });
  expect(stderr).toBe('');
  expect(stdout.replace(/^building .*\n/, '')).toBe([
    'a slash command, signed by Slack   → 200',
    'a forged one                       → 401 {"type":"about:blank","title":"Unauthorized","status":401,"code":"UNAUTHENTICATED"}',
    'a workspace that is not installed  → 404 {"type":"about:blank","title":"Not Found","status":404,"code":"CONNECTION_NOT_FOUND"}',
    'SIGTERM                            → exit code 0',
    'Slack was called: 1 × users.info, 1 × chat.postMessage',
    'the bot said in C0001: pong',
    '',
  ].join('\n'));
}, 180_000);
