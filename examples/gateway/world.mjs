import { startFakeSlackApi } from '../support/fake-slack-api.mjs';
import { startFakeTelegramApi, telegramMessage } from '../support/fake-telegram-api.mjs';
import { discordApplication } from '../support/discord-sender.mjs';
import { issueOpened } from '../support/github-sender.mjs';
import { startRecordingServer } from '../support/recording-server.mjs';
import { workspaceCommand } from '../support/slack-requests.mjs';
import { whatsappMessage } from '../support/whatsapp-sender.mjs';

/** Five vendors on loopback, a row for each, and a signed request from each. */
export async function startWorld() {
  const [slack, telegram, github, discord, whatsapp] = await Promise.all([
    startFakeSlackApi(), startFakeTelegramApi(),
    startRecordingServer(({ path }) => ({ json: path.endsWith('/labels') ? [] : {} })),
    startRecordingServer(),
    startRecordingServer(() => ({ json: { verified_name: 'Acme' } })),
  ]);
  const application = discordApplication();
  const botInfo = { id: 1, is_bot: true, first_name: 'Bot', username: 'acme_bot' };

  /** The platform's request. With a guessed secret, it is a forged one. @param {string} [secret] */
  const requests = async (secret = 'shh') => ({
    slack: workspaceCommand({ signingSecret: secret, team: 'T0001', text: 'hi' }),
    telegram: telegramMessage({ secretToken: secret, text: 'hi' }),
    github: await issueOpened({ secret }),
    discord: (secret === 'shh' ? application : discordApplication()).request({
      type: 2,
      token: 't',
      data: { options: [{ value: 'hi' }] },
    }),
    whatsapp: whatsappMessage({ appSecret: secret, text: 'hi' }),
  });

  return {
    rows: [
      { id: 'acme-slack', platform: 'slack', signingSecret: 'shh', botToken: 'xoxb-1' },
      { id: 'acme-telegram', platform: 'telegram', token: '1:good', secretToken: 'shh', greeting: 'Hello', botInfo },
      { id: 'acme-github', platform: 'github', repository: 'acme/widgets', token: 't', secret: 'shh' },
      { id: 'acme-discord', platform: 'discord', applicationId: '77', publicKey: application.publicKey },
      { id: 'acme-whatsapp', platform: 'whatsapp', phoneNumberId: '100', accessToken: 't', appSecret: 'shh', verifyToken: 'v' },
      { id: 'acme-fax', platform: 'fax', number: '555-0100' },
    ],
    surroundings: {
      slack: { apiUrl: slack.url, prepare: async () => (/** @type {string} */ question) => `42 (${question})` },
      telegram: { apiRoot: telegram.url },
      github: { apiUrl: github.url, keep: async () => {} },
      discord: { apiUrl: discord.url, prepare: async () => async (/** @type {string} */ question) => `42 (${question})` },
      whatsapp: { graphUrl: whatsapp.url },
    },
    requests,
    /** The bots' messages, by platform. */
    said: () => ({
      slack: slack.messages.map(({ text }) => text),
      telegram: telegram.calls.filter(({ method }) => method === 'sendMessage').map(({ parameters }) => parameters.text),
      github: github.received.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body).body),
      discord: discord.received.map(({ body }) => JSON.parse(body).content),
      whatsapp: whatsapp.received.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body).text.body),
    }),
    /** The number of calls to vendors. */
    calls: () => [...slack.calls.values()].reduce((sum, count) => sum + count, 0)
      + telegram.calls.length + github.received.length + discord.received.length + whatsapp.received.length,
    close: () => Promise.all([slack, telegram, github, discord, whatsapp].map((vendor) => vendor.close())),
  };
}
