import { isValidSlackRequest } from '@slack/bolt';

/**
 * A Bolt `App` of its own for each workspace, without a server of its own.
 *
 * @typedef {import('hydrant').ConnectionRecord & { signingSecret: string, botToken: string, botId: string,
 *   botUserId: string }} WorkspaceRow what Slack's OAuth flow returned for the workspace
 * @typedef {import('@slack/bolt').App} App
 *
 * @param {{ setUp: (app: App, record: WorkspaceRow) => void, apiUrl?: string }} options `setUp` registers the listeners
 */
export function workspaceFactory({ setUp, apiUrl }) {
  /** @satisfies {import('hydrant').InstanceFactory<WorkspaceRow, App>} */
  const factory = {
    async create(record) {
      const { botToken, botId, botUserId } = record;
      const bolt = await import('@slack/bolt'); // takes half a second, so only replicas with Slack traffic pay for it
      const app = new bolt.App({
        receiver: { init() {}, start: async () => undefined, stop: async () => undefined },
        authorize: async () => ({ botToken, botId, botUserId }), // from the row, so a start calls nothing
        logLevel: bolt.LogLevel.ERROR,
        clientOptions: { retryConfig: { retries: 0 }, ...(apiUrl && { slackApiUrl: apiUrl }) },
      });
      app.error(async (error) => { throw error; }); // hydrant reports it
      setUp(app, record);
      return app;
    },

    // Runs on the row alone. A forged request starts no App, and Slack's challenge needs none.
    async authenticate(request, { record: { signingSecret } }) {
      const body = await request.text();
      const headers = {
        'x-slack-signature': request.headers.get('x-slack-signature') ?? '',
        'x-slack-request-timestamp': Number(request.headers.get('x-slack-request-timestamp')),
      };
      if (!isValidSlackRequest({ signingSecret, body, headers })) return false;
      const { type, challenge } = parse(request, body);
      return type === 'url_verification' ? Response.json({ challenge }) : true;
    },

    /** Answers as soon as a listener calls `ack`. `waitUntil` keeps the App open until all listeners have ended. */
    async handleWebhook(app, request, { waitUntil }) {
      const body = parse(request, await request.text());
      return new Promise((resolve, reject) => {
        /** @param {unknown} [answer] */
        const ack = async (answer) => {
          if (answer === undefined || typeof answer === 'string') resolve(new Response(answer ?? ''));
          else resolve(Response.json(answer));
        };
        const retryNum = request.headers.get('x-slack-retry-num');
        const work = app.processEvent({
          body,
          ack,
          ...(retryNum !== null && {
            retryNum: Number(retryNum),
            retryReason: request.headers.get('x-slack-retry-reason') ?? '',
          }),
        });
        work.then(() => resolve(new Response('no listener has acknowledged this', { status: 404 })), reject);
        waitUntil(work);
      });
    },
  };
  return factory;
}

/**
 * Events are JSON. Commands are a form, and buttons and dialogs are JSON in the field `payload` of a form.
 *
 * @param {Request} request
 * @param {string} body
 * @returns {Record<string, any>}
 */
function parse(request, body) {
  if (request.headers.get('content-type')?.startsWith('application/json')) return JSON.parse(body);
  const form = Object.fromEntries(new URLSearchParams(body));
  return typeof form.payload === 'string' ? JSON.parse(form.payload) : form;
}
