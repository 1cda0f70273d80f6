import { request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import type { ConnectionRecord } from 'hydrant';
import { factoryConformance } from 'hydrant/testing';
import { describe, test } from 'vitest';
import { startFarSide } from '../testing/support/far-side.js';
import { startVendor } from '../testing/support/vendor.js';
import { example } from './support.js';

/** The factories of the examples whose start reaches a far side. Those of the others start without a call. */
const runner = { describe, it: test };
const row = <T extends object>(fields: T): T & Required<Pick<ConnectionRecord, 'version' | 'status'>> & { id: string } =>
  ({ id: 'a', version: 1, status: 'active', ...fields });
/** A vendor's SDK may take seconds to import on a busy machine. */
const PATIENT = { timeoutMs: 10_000 };

/** A JSON API that knows one token. */
const withToken = (answer: (path: string) => unknown) => (request: IncomingMessage, response: ServerResponse): void => {
  request.resume();
  const isKnown = request.headers.authorization === 'Bearer good';
  response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' })
    .end(JSON.stringify(isKnown ? answer(request.url ?? '') : {}));
};

describe('examples/github-hono', async () => {
  const { githubFactory } = await example('github-hono/factory.mjs');
  factoryConformance<any, any>(runner, async () => {
    const side = await startFarSide(withToken((path) => (path.endsWith('/labels') ? [{ name: 'bug' }] : {})));
    const record = row({ repository: 'acme/app', token: 'good', secret: 's' });
    return {
      ...side, record, failing: { ...record, token: 'revoked' },
      factory: githubFactory({ apiUrl: side.url, keep: async () => {} }),
      use: (repository) => repository.greet(1, 'a bug'),
    };
  }, PATIENT);
});

describe('examples/whatsapp', async () => {
  const { whatsappFactory } = await example('whatsapp/factory.mjs');
  factoryConformance<any, any>(runner, async () => {
    const side = await startFarSide(withToken(() => ({ verified_name: 'Acme' })));
    const record = row({ phoneNumberId: '1', accessToken: 'good', appSecret: 's', verifyToken: 'v' });
    return {
      ...side, record, failing: { ...record, accessToken: 'revoked' },
      factory: whatsappFactory({ graphUrl: side.url }),
      use: (number) => number.send('42', 'hello'),
    };
  }, PATIENT);
});

describe('examples/slack-express', async () => {
  const { slackFactory } = await example('slack-express/factory.mjs');
  factoryConformance<any, any>(runner, async () => {
    const vendor = await startVendor();
    const record = row({ signingSecret: 's', botToken: 'xoxb-good' });
    return {
      ...vendor, record, failing: { ...record, botToken: 'revoked' },
      factory: slackFactory({ apiUrl: vendor.url, prepare: async () => () => 'an answer' }),
      use: (bot) => bot.send('C1', 'hello'),
    };
  }, { ...PATIENT, lives: 50 });
});

describe('examples/per-user-mcp-clients', async () => {
  const { grantFactory } = await example('per-user-mcp-clients/clients.mjs');
  const { startMcpServer } = await example('support/mcp-server.mjs');
  describe.each([{ sessions: false }, { sessions: true }])('with sessions: $sessions', ({ sessions }) => {
    factoryConformance<any, any>(runner, async () => {
      const server = await startMcpServer(new Map([['good', 'ada']]), { sessions });
      const side = await startFarSide((request, response) => {
        const { method, url: path, headers } = request;
        request.pipe(send(new URL(path ?? '/', server.url), { method, headers, agent: false }, (answer) => {
          const { connection: _connection, ...rest } = answer.headers;
          response.writeHead(answer.statusCode ?? 502, rest);
          answer.pipe(response);
        }).once('error', () => response.destroy()));
      });
      const record = row({ url: side.url, accessToken: 'good' });
      return {
        ...side, record, failing: { ...record, accessToken: 'revoked' }, factory: grantFactory,
        use: ({ client }) => client.callTool({ name: 'whoami', arguments: {} }),
        close: async () => { await side.close(); await server.close(); },
      };
    }, { ...PATIENT, lives: 50 });
  });
});
