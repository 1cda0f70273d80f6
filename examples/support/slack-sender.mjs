import { createHmac, randomUUID } from 'node:crypto';

/**
 * Signs a body the way Slack does: HMAC-SHA256 of `v0:timestamp:body` under the app's signing secret.
 * https://docs.slack.dev/authentication/verifying-requests-from-slack
 *
 * @param {string} signingSecret
 * @param {string} body exactly the bytes that will be sent
 * @param {number} [timestamp] seconds since the epoch; Slack's verifiers refuse one that is five minutes off
 * @returns {{ 'x-slack-request-timestamp': string, 'x-slack-signature': string }}
 */
export function slackSignature(signingSecret, body, timestamp = Math.floor(Date.now() / 1000)) {
  const digest = createHmac('sha256', signingSecret).update(`v0:${timestamp}:${body}`).digest('hex');
  return { 'x-slack-request-timestamp': String(timestamp), 'x-slack-signature': `v0=${digest}` };
}

/**
 * A slash command as Slack sends it: a signed form.
 * https://docs.slack.dev/interactivity/implementing-slash-commands
 *
 * @param {object} command
 * @param {string} command.signingSecret
 * @param {string} [command.command]
 * @param {string} [command.text] what the user typed after the command
 * @param {string} [command.channel]
 * @param {string} [command.user]
 * @returns {{ method: 'POST', headers: Record<string, string>, body: string }} what `fetch` takes
 */
export function slashCommand({ signingSecret, command = '/ping', text = '', channel = 'C0001', user = 'U0042' }) {
  const body = new URLSearchParams({
    command,
    text,
    team_id: 'T0001',
    team_domain: 'acme',
    channel_id: channel,
    channel_name: 'general',
    user_id: user,
    user_name: 'ada',
    api_app_id: 'A0001',
    is_enterprise_install: 'false',
    response_url: 'http://127.0.0.1:9/commands/not-used',
    trigger_id: randomUUID(),
  }).toString();
  return {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...slackSignature(signingSecret, body) },
    body,
  };
}
