import { verifySlackRequest } from '@chat-adapter/slack/webhook';
import { isValidSlackRequest } from '@slack/bolt';
import { describe, expect, test } from 'vitest';
import { slackSignature, slashCommand } from '../../examples/support/slack-sender.mjs';

const signingSecret = 'shh';

/** The verdict of the Chat SDK's own verifier. */
function chatSdkAccepts(request: Request, secret: string): Promise<boolean> {
  return verifySlackRequest(request, { signingSecret: secret }).then(() => true, () => false);
}

describe('the demo signs requests as Slack does', () => {
  test('so that the verifiers of the Chat SDK and of Bolt accept them', async () => {
    const command = slashCommand({ signingSecret, text: 'ünicode & more' });
    expect(await chatSdkAccepts(new Request('http://gateway/', command), signingSecret)).toBe(true);
    expect(isValidSlackRequest({
      signingSecret,
      body: command.body,
      headers: {
        'x-slack-signature': command.headers['x-slack-signature'] ?? '',
        'x-slack-request-timestamp': Number(command.headers['x-slack-request-timestamp']),
      },
    })).toBe(true);
  });

  test('and that they refuse another secret, a changed body and an old timestamp', async () => {
    const command = slashCommand({ signingSecret });
    expect(await chatSdkAccepts(new Request('http://gateway/', command), 'another')).toBe(false);
    expect(
      await chatSdkAccepts(new Request('http://gateway/', { ...command, body: `${command.body}&more=1` }), signingSecret),
    ).toBe(false);
    const old = { ...command.headers, ...slackSignature(signingSecret, command.body, Math.floor(Date.now() / 1000) - 600) };
    expect(await chatSdkAccepts(new Request('http://gateway/', { ...command, headers: old }), signingSecret)).toBe(false);
  });

  test('as in the worked example of Slack’s documentation', () => {
    const body =
      'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar'
      + '&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text='
      + '&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN'
      + '&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
    expect(slackSignature('8f742231b10e8888abcd99yyyzzz85a5', body, 1_531_420_618)['x-slack-signature'])
      .toBe('v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503');
  });
});
