import { ManualClock } from 'hydrant/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { botsOver, fromSlack, secretOf, slashCommand, type Bot, type Bots } from './support/bots.js';
import { recordingFetch, RESPONSE_URL, toSlack, until } from './support/late.js';

const slackBot: Bot = { id: 's', platform: 'slack', apiUrl: 'http://127.0.0.1:9/', botUserId: 'U1' };

let bots: Bots;
afterEach(() => bots.registry.close({ drainTimeoutMs: 0 }));

/** A bot whose start takes as long as the test says, and everything it sends afterwards. */
function slowBot() {
  const clock = new ManualClock();
  const { sent, fetch } = recordingFetch();
  let end: (error?: Error) => void = () => {};
  const started = new Promise<void>((resolve, reject) => { end = (error) => error === undefined ? resolve() : reject(error); });
  // A busy machine may still load the SDK when the test ends the start.
  started.catch(() => {});
  bots = botsOver([slackBot], { setup: () => started, fetch }, { clock });
  bots.registry.on('hydrationFailed', () => {});
  bots.registry.on('webhookFailed', () => {});
  return { clock, sent, end };
}

async function statusAfter(clock: ManualClock, ms: number, request: Request): Promise<{ status: number | 'none' }> {
  const seen: { status: number | 'none' } = { status: 'none' };
  void bots.registry.handleWebhook('s', request).then((response) => { seen.status = response.status; });
  await until(() => bots.registry.snapshot().hydrating > 0);
  await clock.advance(ms);
  await until(() => seen.status !== 'none', 2_000);
  return seen;
}

describe('a delivery that the platform never repeats', () => {
  test('is acknowledged within the limit, and a later failure is sent to its response_url (slash command)', async () => {
    const { clock, sent, end } = slowBot();
    const { status } = await statusAfter(clock, 2_000, slashCommand(secretOf('s'), { response_url: RESPONSE_URL }));
    end(new Error('the database is down'));
    await until(() => sent.length > 0);
    expect({ status, sent }).toEqual({ status: 200, sent: [toSlack()] });
  });

  test('is acknowledged within the limit (click on a button)', async () => {
    const { clock, sent, end } = slowBot();
    const payload = JSON.stringify({ type: 'block_actions', team: { id: 'T1' }, response_url: RESPONSE_URL });
    const click = fromSlack({ secret: secretOf('s'), body: new URLSearchParams({ payload }).toString(), json: false });
    const { status } = await statusAfter(clock, 2_000, click);
    end(new Error('no'));
    await until(() => sent.length > 0);
    expect({ status, urls: sent.map(({ url }) => url) }).toEqual({ status: 200, urls: [RESPONSE_URL] });
  });
});

describe('a delivery that the platform repeats', () => {
  test('is not acknowledged while it may still fail', async () => {
    const { clock, end } = slowBot();
    const event = JSON.stringify({
      type: 'event_callback',
      team_id: 'T1',
      event: { type: 'app_mention', channel: 'C1', user: 'U2', text: 'hi', ts: '1.2' },
    });
    const early = await statusAfter(clock, 2_500, fromSlack({ secret: secretOf('s'), body: event }));
    expect(early).toEqual({ status: 'none' });
    end(new Error('no'));
    await until(() => early.status !== 'none');
    expect(early).toEqual({ status: 503 });
  });
});

describe('a response_url counts for Slack only', () => {
  // A customer signs with a secret of their own, so a signature proves nothing about the URL.
  test.each([
    'http://hooks.slack.com/commands/1',
    'https://hooks.slack.com.evil.example/x',
    'https://169.254.169.254/latest',
    'http://127.0.0.1:9/',
    'https://user@evil.example/hooks.slack.com',
    'not a url',
    '',
  ])('%s is neither called nor a reason to acknowledge', async (responseUrl) => {
    const { clock, sent, end } = slowBot();
    const outcome = await statusAfter(clock, 2_500, slashCommand(secretOf('s'), { response_url: responseUrl }));
    expect(outcome).toEqual({ status: 'none' });
    end(new Error('no'));
    await until(() => outcome.status !== 'none');
    expect({ ...outcome, sent }).toEqual({ status: 503, sent: [] });
  });

  test('a list is neither called nor a reason to acknowledge, although it holds a URL of Slack', async () => {
    const { clock, sent, end } = slowBot();
    const payload = JSON.stringify({ type: 'block_actions', team: { id: 'T1' }, response_url: [RESPONSE_URL] });
    const click = fromSlack({ secret: secretOf('s'), body: new URLSearchParams({ payload }).toString(), json: false });
    const outcome = await statusAfter(clock, 2_500, click);
    expect(outcome).toEqual({ status: 'none' });
    end(new Error('no'));
    await until(() => outcome.status !== 'none');
    expect({ ...outcome, sent }).toEqual({ status: 503, sent: [] });
  });
});
