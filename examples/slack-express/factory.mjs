import { verifySlackRequest } from '@chat-adapter/slack/webhook';

/**
 * Makes an instance of the Chat SDK of the row of an installed workspace.
 *
 * @typedef {import('hydrant').ConnectionRecord & { signingSecret: string, botToken: string }} SlackRow
 *
 * @typedef {object} Surroundings what the application hands in
 * @property {(id: string, options: { signal: AbortSignal }) => Promise<(question: string) => string>} prepare
 *   makes the workspace's assistant ready: the slow part of a cold start
 * @property {string | undefined} [apiUrl] Slack's own by default
 *
 * @param {Surroundings} surroundings
 */
export function slackFactory({ prepare, apiUrl }) {
  /** @param {SlackRow} record @param {import('hydrant').HydrationContext} context */
  async function create({ id, signingSecret, botToken }, { signal, onDispose }) {
    const assistant = await prepare(id, { signal });
    // The SDK takes half a second and 36 MB, so only replicas with Slack traffic import it.
    const [{ Chat, ConsoleLogger }, { createSlackAdapter }, { createMemoryState }] = await Promise.all([
      import('chat'), import('@chat-adapter/slack'), import('@chat-adapter/state-memory'),
    ]);
    const logger = new ConsoleLogger('silent');
    const slack = createSlackAdapter({
      signingSecret,
      botToken,
      logger,
      webClientOptions: { retryConfig: { retries: 0 } },
      ...(apiUrl && { apiUrl }),
    });
    const chat = new Chat({
      userName: 'assistant',
      logger,
      state: createMemoryState(), // one per connection, because the first shutdown would disconnect a shared one
      adapters: { slack },
    });
    onDispose(() => chat.shutdown()); // runs also when a later step fails
    chat.onSlashCommand('/ask', async ({ channel, text }) => { await channel.post(assistant(text)); });
    await unlessAborted(chat.initialize(), signal);
    // The SDK starts even if Slack refuses the token, and then answers 200 to everything.
    if (slack.botUserId === undefined) throw new Error('Slack has refused the bot token');
    return {
      /** @param {Request} request @param {(work: Promise<unknown>) => void} waitUntil */
      receive: (request, waitUntil) => chat.webhooks.slack(request, { waitUntil }),
      /** @param {string} channel @param {string} text */
      send: async (channel, text) => { await chat.channel(`slack:${channel}`).post(text); },
    };
  }

  /** @satisfies {import('hydrant').InstanceFactory<SlackRow, Awaited<ReturnType<typeof create>>>} */
  const factory = {
    create,

    // Runs on the row alone. An exception is a 401, and Slack's challenge needs no instance.
    async authenticate(request, { record }) {
      const body = await verifySlackRequest(request, record);
      if (!isJson(request)) return true;
      const { type, challenge } = JSON.parse(body);
      return type === 'url_verification' ? Response.json({ challenge }) : true;
    },

    handleWebhook: (bot, request, { waitUntil }) => bot.receive(request, waitUntil),

    // Slack waits three seconds for a slash command and never sends it again.
    acknowledge: {
      afterMs: 2_000,
      respond: async (request) => (await responseUrlOf(request) === undefined ? undefined : new Response()),
    },

    async respondToFailure(failure, request, { acknowledged, signal }) {
      const responseUrl = acknowledged ? await responseUrlOf(request) : undefined;
      if (responseUrl !== undefined) {
        await fetch(responseUrl, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ text: `I could not answer just now (${failure.code}). Please try again.` }),
          signal,
        });
      }
      return undefined;
    },
  };
  return factory;
}

/** @param {Request} request */
const isJson = (request) => request.headers.get('content-type')?.startsWith('application/json') === true;

/** The URL that takes late answers to a slash command. @param {Request} request */
async function responseUrlOf(request) {
  if (isJson(request)) return undefined;
  const form = await request.formData();
  const url = form.get('response_url');
  return form.has('command') && typeof url === 'string' ? url : undefined;
}

/** The SDK's start takes no signal. @param {Promise<void>} work @param {AbortSignal} signal */
function unlessAborted(work, signal) {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work.then(resolve, reject);
  });
}
