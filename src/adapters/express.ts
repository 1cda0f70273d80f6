/**
 * Webhooks on Express 4 and 5.
 *
 * @module hydrant/express
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AdapterOptions, checkOptions } from './adapter-options.js';
import { bodyOf } from './node-body.js';
import { headOf } from './node-request.js';
import { sendFailure, sendResponse } from './node-response.js';
import { isOver, type ParsedByOthers } from './node-types.js';
import {
  answerWebhook, bufferedBytes, checkRoute, type ConnectionIdSource, type WebhookRegistry,
} from './webhook-route.js';

export type { AdapterOptions } from './adapter-options.js';
export type { ConnectionIdSource, WebhookRegistry } from './webhook-route.js';

/** Options of {@link expressWebhook}. */
export interface ExpressWebhookOptions extends AdapterOptions {
  /** Default: the route parameter `connectionId`. */
  readonly connectionId?: ConnectionIdSource | undefined;
  /**
   * Default: the setting of `app.set('trust proxy', …)`. `true` or `false` overrides it.
   */
  readonly trustProxy?: boolean | undefined;
}

/** The part of Express's request that is used. */
export type ExpressRequest = IncomingMessage & ParsedByOthers & {
  readonly params: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly originalUrl?: string;
  readonly app?: { get(name: string): unknown };
};

/** The handler of {@link expressWebhook}. It answers every request itself and never calls `next`. */
export type ExpressWebhookHandler = (req: ExpressRequest, res: ServerResponse, next: (error?: unknown) => void) => void;

/**
 * An Express 4 or 5 route handler that serves webhooks from a registry.
 *
 * Mount it before a body parser, or keep the bytes with
 * `express.json({ verify: (req, _res, bytes) => { req.rawBody = bytes; } })`; `express.raw()` is fine too. If a parser
 * consumed the bytes, the answer is 500 `BODY_ALREADY_PARSED`. Errors go to `onError` instead of `next`,
 * because Express's own error handler shows their stack outside production. A route without the named parameter is
 * answered with 500 `INVALID_OPTIONS`.
 *
 * @example
 * ```ts
 * app.all('/webhooks/:connectionId', expressWebhook(registry));
 * app.post('/slack/events', expressWebhook(registry, {
 *   connectionId: async (request) => (await teams.find((await request.formData()).get('team_id')))?.connectionId,
 * }));
 * ```
 *
 * @throws ConnectionError with `INVALID_OPTIONS`
 */
export function expressWebhook(registry: WebhookRegistry, options: ExpressWebhookOptions = {}): ExpressWebhookHandler {
  const { connectionId = 'connectionId' } = options;
  checkRoute(registry, connectionId, options);
  const { origin, trustProxy, onError } = checkOptions(options);
  const maxBytes = bufferedBytes(registry, connectionId);

  async function serve(req: ExpressRequest, res: ServerResponse): Promise<void> {
    const head = headOf(req, res, { origin, trustProxy: trustProxy ?? isTrustedByApp(req) });
    const outgoing = head instanceof Response
      ? { response: head }
      : await answerWebhook({
        registry, connectionId, params: plain(req.params), head, body: bodyOf(req, { maxBytes }), onError,
      });
    await sendResponse(outgoing, req, res, onError);
  }

  return (req, res) => {
    serve(req, res).catch((error: unknown) => {
      onError(error);
      if (!isOver(res)) sendFailure(req, res);
    });
  };
}

function isTrustedByApp(req: ExpressRequest): boolean {
  const isTrusted = req.app?.get('trust proxy fn');
  return typeof isTrusted === 'function' && isTrusted(req.socket.remoteAddress, 0) === true;
}

/** Express 5 gives what a wildcard matched as its segments. */
function plain(params: ExpressRequest['params']): Readonly<Record<string, string>> {
  const strings: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) strings[name] = typeof value === 'string' ? value : value.join('/');
  }
  return strings;
}
