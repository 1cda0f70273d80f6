/**
 * Webhooks on Fastify 5, encapsulated.
 *
 * @module hydrant/fastify
 */

import type { Readable } from 'node:stream';
import { type AdapterOptions, checkOptions, invalidOption } from './adapter-options.js';
import { bodyOf, type NodeBody } from './node-body.js';
import { headOf } from './node-request.js';
import { closesConnection, discard } from './node-response.js';
import type { NodeRequest, NodeResponse, ParsedByOthers } from './node-types.js';
import { failure } from './problem.js';
import { sourceOf } from '../webhook/response-source.js';
import {
  answerWebhook, checkRoute, type ConnectionIdSource, DEFAULT_BUFFERED_BYTES, type WebhookRegistry,
} from './webhook-route.js';

export type { AdapterOptions } from './adapter-options.js';
export type { ConnectionIdSource, WebhookRegistry } from './webhook-route.js';

/** Options of {@link fastifyWebhook}, beside Fastify's own (`prefix`, `logLevel`). */
export interface FastifyWebhookOptions extends AdapterOptions {
  readonly registry: WebhookRegistry;
  /** The route below `prefix`, such as `/:connectionId`. */
  readonly path: string;
  /** Default: the route parameter `connectionId`. */
  readonly connectionId?: ConnectionIdSource | undefined;
  /** Default: the server's own `trustProxy`. `true` or `false` overrides that. */
  readonly trustProxy?: boolean | undefined;
  /**
   * Default: the registry's `webhook.maxBodyBytes` alone decides, not Fastify's `bodyLimit`; for a `connectionId`
   * function, which needs the body in memory, 1 MiB.
   */
  readonly maxBodyBytes?: number | undefined;
  /** Default: the request's own logger. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** The part of Fastify's request that is used. */
export interface FastifyRequestLike extends ParsedByOthers {
  readonly raw: NodeRequest;
  readonly params: unknown;
  readonly protocol: string;
  readonly host: string;
  readonly originalUrl: string;
  readonly log: { error(fields: { err: unknown }, message: string): void };
}

/** The part of Fastify's reply that is used. */
export interface FastifyReplyLike {
  readonly raw: NodeResponse;
  readonly sent: boolean;
  code(status: number): unknown;
  header(name: string, value: string): unknown;
  removeHeader(name: string): unknown;
}

/** The part of a Fastify instance that is used. */
export interface FastifyScope {
  readonly prefix: string;
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    contentType: string,
    parser: (request: FastifyRequestLike, payload: Readable, done: (error: Error | null, body?: unknown) => void) => void,
  ): unknown;
  all(
    path: string,
    options: { errorHandler(error: unknown, request: FastifyRequestLike, reply: FastifyReplyLike): unknown },
    handler: (request: FastifyRequestLike, reply: FastifyReplyLike) => unknown,
  ): unknown;
}

const BODY = Symbol('body');
const ANSWER = Symbol('answer');

/** What is known of a request from one step of Fastify's to the next. */
interface Carrier extends FastifyRequestLike { [BODY]?: NodeBody; [ANSWER]?: Response }

/**
 * A Fastify 5 plugin that serves webhooks from a registry. It is encapsulated: inside, bodies stay bytes whatever
 * their content type; outside, the host's parsers are untouched. The host's hooks run as for any other route.
 *
 * Do not wrap it in `fastify-plugin`: that would take the parsers away from the whole server, and the prefix with it.
 *
 * @example
 * ```ts
 * app.register(fastifyWebhook, { registry, prefix: '/webhooks', path: '/:connectionId' });
 * ```
 *
 * @throws ConnectionError with `INVALID_OPTIONS`, from `register`: also for a path without the named parameter
 */
export async function fastifyWebhook(scope: FastifyScope, options: FastifyWebhookOptions): Promise<void> {
  const { registry, path, connectionId = 'connectionId' } = options;
  checkRoute(registry, connectionId);
  checkPath(scope.prefix, path, connectionId);
  const { origin, trustProxy, maxBodyBytes, onError } = checkOptions(options);
  const maxBytes = maxBodyBytes ?? (typeof connectionId === 'function' ? DEFAULT_BUFFERED_BYTES : Infinity);

  const report = (request: FastifyRequestLike, error: unknown): void => {
    if (options.onError === undefined) request.log.error({ err: error }, 'a webhook could not be served');
    else onError(error);
  };

  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (request, source, done) => {
    // Now, not in the handler: a hook that listens to the same bytes has let them flow.
    (request as Carrier)[BODY] = bodyOf(request.raw, { maxBytes, source, parsed: request });
    done(null);
  });

  scope.all(path, {
    errorHandler(error, request, reply) {
      const failed = (request as Carrier)[ANSWER];
      // A hook of the host has failed: that is for the host's error handler.
      if (failed === undefined) throw error;
      report(request, error);
      for (const [name] of failed.headers) reply.removeHeader(name);
      return failure('HANDLER_FAILED');
    },
  }, async (request, reply) => {
    const { raw } = request;
    const head = headOf(raw, reply.raw, { origin, trustProxy, framework: request });
    const response = head instanceof Response ? head : await answerWebhook({
      registry, connectionId, head,
      params: request.params as Readonly<Record<string, string>>,
      body: (request as Carrier)[BODY] ?? bodyOf(raw, { maxBytes }),
      onError: (error) => report(request, error),
    });
    if (reply.sent) return discard(response);
    (request as Carrier)[ANSWER] = response;
    if (closesConnection(raw, response.status)) reply.header('connection', 'close');
    return raw.method === 'HEAD' ? withoutBody(response) : payloadOf(response, reply);
  });
}

/** Fastify makes a stream of a Response. Bytes of a known type it leaves as they are, and hooks can work on them. */
function payloadOf(response: Response, reply: FastifyReplyLike): Response | Uint8Array | string {
  const source = sourceOf(response);
  const type = response.headers.get('content-type');
  if (source === undefined || type === null) return response;
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  // To the type of a text that may be JSON it would add a charset.
  return typeof source === 'string' && /json/i.test(type) ? Buffer.from(source) : source;
}

/** Fastify would read the body to its end and throw it away. */
function withoutBody(response: Response): Response {
  discard(response);
  return new Response(null, response);
}

function checkPath(prefix: string, path: unknown, connectionId: ConnectionIdSource): void {
  if (typeof path !== 'string') throw invalidOption('path', "a route such as '/:connectionId'", path);
  if (typeof connectionId === 'function') return;
  const parameters = [...(prefix + path).matchAll(/:([A-Za-z0-9_]+)|\*$/g)].map(([whole, name]) => name ?? whole);
  if (!parameters.includes(connectionId)) {
    throw invalidOption('path', `a route with the parameter ':${connectionId}'`, prefix + path);
  }
}
