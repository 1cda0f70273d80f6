import { slackSignature } from './slack-sender.mjs';

/**
 * A signed slash command of any workspace, as arguments of `fetch`.
 *
 * @param {object} command
 * @param {string} command.signingSecret
 * @param {string} command.team the workspace, `T…`
 * @param {string} [command.command]
 * @param {string} [command.text] what the user typed after the command
 * @param {string} [command.responseUrl] where Slack takes late answers
 * @returns {{ method: 'POST', headers: Record<string, string>, body: string }}
 */
export function workspaceCommand({
  signingSecret,
  team,
  command = '/ask',
  text = '',
  responseUrl = 'http://127.0.0.1:9/not-used',
}) {
  const body = new URLSearchParams({
    command,
    text,
    team_id: team,
    channel_id: 'C0001',
    channel_name: 'general',
    user_id: 'U0042',
    user_name: 'ada',
    api_app_id: 'A0001',
    response_url: responseUrl,
    trigger_id: '1.2.3',
  }).toString();
  return signed(signingSecret, body, 'application/x-www-form-urlencoded');
}

/**
 * A signed delivery of the Events API: an event of a workspace, or the `url_verification` of the app's settings page.
 *
 * @param {string} signingSecret
 * @param {Record<string, unknown>} payload
 * @returns {{ method: 'POST', headers: Record<string, string>, body: string }}
 */
export function slackEvent(signingSecret, payload) {
  return signed(signingSecret, JSON.stringify(payload), 'application/json');
}

/**
 * @param {string} signingSecret
 * @param {string} body
 * @param {string} contentType
 * @returns {{ method: 'POST', headers: Record<string, string>, body: string }}
 */
function signed(signingSecret, body, contentType) {
  return { method: 'POST', headers: { 'content-type': contentType, ...slackSignature(signingSecret, body) }, body };
}
