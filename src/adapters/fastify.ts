/**
 * Webhooks on Fastify 5, encapsulated.
 *
 * @module hydrant/fastify
 */

import { finished, type Readable } from 'node:stream';
import { type AdapterOptions, checkOptions, invalidOption } from './adapter-options.js';
import { bodyOf, type NodeBody } from './node-body.js';
import { headOf } from './node-request.js';
import { closesConnection, sendFailure } from './node-response.js';
import type { NodeRequest, NodeResponse, ParsedByOthers } from './node-types.js';
import type { Outgoing } from '../messages/direct.js';
import { discardBody, ResponseBody } from '../messages/response-body.js';
import { problemOf } from '../messages/problem.js';
import { headToSend, OF_A_BODY, type ResponseHead } from './framing.js';
import {
  answerWebhook, bufferedBytes, checkRoute, type ConnectionIdSource, routeWith, type WebhookRegistry,
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
  header(name: string, value: string | readonly string[]): unknown;
  removeHeader(name: string): unknown;
  send(payload?: unknown): unknown;
  hijack(): unknown;
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
const SENT = Symbol('sent');

/** Kept on a request from one step of Fastify's to the next. */
interface Carrier extends FastifyRequestLike {
  [BODY]?: NodeBody;
  /** Whether this plugin has set a head. */
  [SENT]?: boolean;
}

/**
 * A Fastify 5 plugin that serves webhooks from a registry. It is encapsulated. Inside, all bodies stay bytes. Outside, your
 * parsers do not change. Your hooks run as for any other route.
 *
 * Do not wrap it in `fastify-plugin`, because that removes the parsers of the whole server and the prefix.
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
  checkRoute(registry, connectionId, options);
  checkPath(scope.prefix, path, connectionId);
  const { origin, trustProxy, onError } = checkOptions(options);
  const maxBytes = bufferedBytes(registry, connectionId);

  const report = (request: FastifyRequestLike, error: unknown): void => {
    if (options.onError === undefined) request.log.error({ err: error }, 'a webhook could not be served');
    else onError(error);
  };

  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (request, source, done) => {
    // The handler would be too late, because a hook that listens to the same bytes makes them flow.
    (request as Carrier)[BODY] = bodyOf(request.raw, { maxBytes, source, parsed: request });
    done(null);
  });

  scope.all(path, {
    errorHandler(error, request, reply) {
      // A hook of the host has failed: the host's error handler decides.
      if ((request as Carrier)[SENT] !== true) throw error;
      report(request, error);
      // Fastify would repeat what Node refuses to send, and end the process with the last error.
      reply.hijack();
      sendFailure(request.raw, reply.raw);
    },
  }, async (request, reply) => {
    const { raw } = request;
    const head = headOf(raw, reply.raw, { origin, trustProxy, framework: request });
    const outgoing = head instanceof Response ? { response: head } : await answerWebhook({
      registry, connectionId, head,
      params: request.params as Readonly<Record<string, string>>,
      body: (request as Carrier)[BODY] ?? bodyOf(raw, { maxBytes }),
      onError: (error) => report(request, error),
    });
    if (reply.sent) return discardBody(outgoing.response, outgoing.done);
    try {
      return await payloadOf(outgoing, request, reply);
    } catch (error) {
      discardBody(outgoing.response, outgoing.done);
      report(request, error);
      return reply.sent ? undefined : failed(request, reply);
    }
  });
}

/**
 * Sets the head and returns the body as Fastify takes it: bytes if it is complete, otherwise a stream. Fastify itself
 * would send on every header of a Response, and read the body of a HEAD to its end.
 */
async function payloadOf({ response, done }: Outgoing, request: FastifyRequestLike, reply: FastifyReplyLike): Promise<unknown> {
  const head = headToSend(response, request.raw.method);
  const body = head.hasBody ? new ResponseBody(response, done) : undefined;
  const whole = await body?.readAhead();
  if (reply.sent) {
    if (body === undefined) discardBody(response, done);
    return void body?.cancel(new DOMException('Another response was sent.', 'AbortError'));
  }
  setHead(head, request, reply);
  if (body === undefined) discardBody(response, done);
  else if (whole === undefined) {
    finished(reply.raw as never, () => void body.cancel(new DOMException('Another response was sent.', 'AbortError')));
    return body.stream();
  }
  // Fastify would make JSON of a returned `null`, and take `undefined` for a mistake.
  if (whole === undefined || whole.byteLength === 0) return reply.send();
  // Fastify would give bytes without a type the type of a binary file.
  return head.headers.has('content-type') ? Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength) : streamOf(whole);
}

function setHead({ status, headers }: ResponseHead, request: FastifyRequestLike, reply: FastifyReplyLike): void {
  (request as Carrier)[SENT] = true;
  for (const name of OF_A_BODY) reply.removeHeader(name);
  reply.code(status);
  for (const [name, value] of headers) reply.header(name, value);
  if (closesConnection(request.raw, status)) reply.header('connection', 'close');
}

function failed(request: FastifyRequestLike, reply: FastifyReplyLike): Buffer {
  (request as Carrier)[SENT] = true;
  const { status, headers, text } = problemOf({ code: 'HANDLER_FAILED', retryAfterMs: undefined });
  reply.code(status);
  for (const [name, value] of Object.entries(headers)) reply.header(name, value);
  return Buffer.from(text);
}

function streamOf(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

function checkPath(prefix: string, path: unknown, connectionId: ConnectionIdSource): void {
  if (typeof path !== 'string') throw invalidOption('path', "a route such as '/:connectionId'", path);
  if (typeof connectionId === 'function') return;
  const parameters = [...(prefix + path).matchAll(/:([A-Za-z0-9_]+)|\*$/g)].map(([whole, name]) => name ?? whole);
  if (!parameters.includes(connectionId)) {
    throw invalidOption('path', routeWith(connectionId), prefix + path);
  }
}
