import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { makeRequest, parts, text } from './support/request-parts.js';

describe('libraries of vendors accept a delivered request', () => {
  const body = '{"type":"event"}';
  const hmac = (content: string, encoding: 'hex' | 'base64' = 'hex', key: string | Buffer = 'secret'): string =>
    createHmac('sha256', key).update(content).digest(encoding);
  const signed = (headers: Record<string, string>): Request =>
    makeRequest(parts({ body: text(body), headers: new Headers({ 'content-type': 'application/json', ...headers }) }));

  test('octokit', async () => {
    const { verify } = await import('@octokit/webhooks-methods');
    const request = signed({ 'x-hub-signature-256': `sha256=${hmac(body)}` });
    expect(await verify('secret', await request.text(), request.headers.get('x-hub-signature-256') ?? '')).toBe(true);
  });

  test('standardwebhooks', async () => {
    const { Webhook } = await import('standardwebhooks');
    const at = String(Math.floor(Date.now() / 1_000));
    const request = signed({
      'webhook-id': 'm1',
      'webhook-timestamp': at,
      'webhook-signature': `v1,${hmac(`m1.${at}.${body}`, 'base64', Buffer.from('secret'))}`,
    });
    const verified = new Webhook(Buffer.from('secret').toString('base64')).verify(
      await request.text(),
      Object.fromEntries(request.headers),
    );
    expect(verified).toEqual({ type: 'event' });
  });

  test('Chat SDK', async () => {
    const { verifySlackSignature } = await import('@chat-adapter/slack/webhook');
    const at = String(Math.floor(Date.now() / 1_000));
    const request = signed({ 'x-slack-request-timestamp': at, 'x-slack-signature': `v0=${hmac(`v0:${at}:${body}`)}` });
    await expect(
      Promise.resolve(verifySlackSignature(await request.text(), request.headers, { signingSecret: 'secret' })),
    ).resolves.not.toBe(false);
  });

  test('grammY', async () => {
    const { Bot, webhookCallback } = await import('grammy');
    const seen: string[] = [];
    const bot = new Bot('1:x', { botInfo: { id: 1, is_bot: true, first_name: 'b', username: 'b' } as never });
    bot.on('message:text', (context) => { seen.push(context.message.text); });
    const update = {
      update_id: 1,
      message: { message_id: 1, date: 1, chat: { id: 1, type: 'private', first_name: 'a' }, text: 'hello' },
    };
    const request = makeRequest(
      parts({ body: text(JSON.stringify(update)), headers: new Headers({ 'x-telegram-bot-api-secret-token': 's' }) }),
    );
    const response = await webhookCallback(bot, 'std/http', { secretToken: 's' })(request);
    expect({ status: response.status, seen }).toEqual({ status: 200, seen: ['hello'] });
  });

  test('Bolt', async () => {
    const { isValidSlackRequest } = await import('@slack/bolt');
    const at = Math.floor(Date.now() / 1_000);
    const request = signed({ 'x-slack-request-timestamp': String(at), 'x-slack-signature': `v0=${hmac(`v0:${at}:${body}`)}` });
    expect(
      isValidSlackRequest({
        signingSecret: 'secret',
        body: await request.text(),
        headers: Object.fromEntries(request.headers) as never,
      }),
    ).toBe(true);
  });

  test('Hono', async () => {
    const { Hono } = await import('hono');
    const app = new Hono().post('/a/b', async (c) =>
      c.json({ body: await c.req.json(), type: c.req.header('content-type'), it: c.req.query('it') }),
    );
    expect(await (await app.fetch(signed({}))).json()).toEqual({ body: { type: 'event' }, type: 'application/json', it: "'s" });
  });

  test('MCP', async () => {
    const { McpServer, WebStandardStreamableHTTPServerTransport } = await import('@modelcontextprotocol/server');
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: () => 's1', enableJsonResponse: true });
    await new McpServer({ name: 'a', version: '1' }).connect(transport as never);
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
    };
    const headers = new Headers({ 'content-type': 'application/json', accept: 'application/json, text/event-stream' });
    const response = await transport.handleRequest(makeRequest(parts({ body: text(JSON.stringify(initialize)), headers })));
    expect(await response.json()).toMatchObject({ result: { serverInfo: { name: 'a' } } });
  });
});
