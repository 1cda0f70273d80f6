import { ConnectionError, isConnectionError } from '../errors.js';
import type { WebhookHandler } from '../webhook/handle-webhook.js';
import { systemClock } from '../clock.js';
import { directDelivery, type Outgoing } from '../messages/direct.js';
import { extended, makeRequest } from '../messages/requests.js';
import { discardBody } from '../messages/response-body.js';
import { within } from '../within.js';
import { invalidOption } from './adapter-options.js';
import { asRequestBody, headFor, type NodeBody, asUnreadBody } from './node-body.js';
import type { NodeRequestHead } from './node-request.js';
import { assertResponse } from './node-response.js';
import { failure, refusal } from './early-answers.js';

/** The part of a `ConnectionRegistry` that an adapter uses. A fake of it is one object literal. */
export interface WebhookRegistry {
  readonly handleWebhook: WebhookHandler;
}

/**
 * The source of the connection's id: the name of a route parameter, or a function of the request. A function is for one
 * URL that many connections share.
 *
 * The function may read the body, and the registry gets it whole again. It runs before the request is authenticated, so it
 * must only look up the id. It cannot answer the request, but `authenticate` can. `undefined` is answered with 404, and
 * a body that does not parse with 400. Other exceptions are answered with 500 without details, and `onError` gets them.
 */
export type ConnectionIdSource =
  | string
  | ((
    request: Request,
    params: Readonly<Record<string, string>>,
  ) => string | undefined | Promise<string | undefined>);

/** The largest body held in memory for a `connectionId` function, if the registry names no limit. */
const DEFAULT_BUFFERED_BYTES = 1024 * 1024;

/** The deadline for a `connectionId` function where the registry does not say one. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** One request on its way to the registry. */
export interface WebhookCall {
  readonly registry: WebhookRegistry;
  readonly connectionId: ConnectionIdSource;
  readonly params: Readonly<Record<string, string>>;
  readonly head: NodeRequestHead;
  readonly body: NodeBody;
  readonly onError: (error: unknown) => void;
}

/** @throws ConnectionError with `INVALID_OPTIONS` */
export function checkRoute(registry: WebhookRegistry, connectionId: ConnectionIdSource, options: object = {}): void {
  if (typeof registry?.handleWebhook !== 'function') {
    throw invalidOption('registry', 'an object with handleWebhook, such as a ConnectionRegistry', registry);
  }
  if (typeof connectionId !== 'function' && (typeof connectionId !== 'string' || connectionId === '')) {
    throw invalidOption('connectionId', 'the name of a route parameter or a function of the request', connectionId);
  }
  // An option of 0.1.0. Ignoring it would drop a limit in silence.
  const { maxBodyBytes } = options as { readonly maxBodyBytes?: unknown };
  if (maxBodyBytes !== undefined)
    throw invalidOption('maxBodyBytes', "nothing, because the registry's webhook.maxBodyBytes decides", maxBodyBytes);
}

/**
 * How much of a body the adapter reads before the registry does. Only a `connectionId` function needs it in memory.
 * Otherwise the registry reads the body itself, and keeps to its own limit.
 */
export function bufferedBytes(registry: WebhookRegistry, connectionId: ConnectionIdSource): number {
  if (typeof connectionId !== 'function') return Infinity;
  return directDelivery(registry.handleWebhook)?.maxBodyBytes ?? DEFAULT_BUFFERED_BYTES;
}

/** The expected route, for the message about a route without the parameter that holds the id. */
export function routeWith(parameter: string): string {
  return `a route with the parameter ':${parameter}', or the option { connectionId: '<parameter>' }`;
}

/** Finds the id, hands the request over, and always has an answer. Never rejects. */
export async function answerWebhook(call: WebhookCall): Promise<Outgoing> {
  const { connectionId, params, head, body, onError } = call;
  try {
    if (typeof connectionId === 'function') return await answerById(call, connectionId);
    const id = params[connectionId];
    if (id !== undefined) return await handOver(call, id, body);
    onError(new ConnectionError('INVALID_OPTIONS',
      `connectionId: expected ${routeWith(connectionId)}, got a route with ${namesOf(params)}`));
    return { response: failure('INVALID_OPTIONS') };
  } catch (error) {
    if (!head.signal.aborted) onError(error);
    return { response: failure('HANDLER_FAILED') };
  }
}

async function handOver({ registry, head }: WebhookCall, id: string, body: NodeBody): Promise<Outgoing> {
  const { handleWebhook } = registry;
  const described = headFor(head, body);
  const direct = directDelivery(handleWebhook);
  const outgoing = direct === undefined
    ? { response: await registry.handleWebhook(id, makeRequest(described, asRequestBody(body))) }
    : await direct.deliver(id, described, asUnreadBody(body));
  try {
    assertResponse(outgoing.response);
  } catch (error) {
    discardBody(outgoing.response, outgoing.done);
    throw error;
  }
  return outgoing;
}

function namesOf(params: Readonly<Record<string, string>>): string {
  const names = Object.keys(params);
  return names.length === 0 ? 'no parameters' : names.map((name) => `':${name}'`).join(', ');
}

/** The function and the body it may read have as much time as a delivery has until it is identified. */
async function answerById(call: WebhookCall, connectionId: Exclude<ConnectionIdSource, string>): Promise<Outgoing> {
  const { registry, onError } = call;
  const direct = directDelivery(registry.handleWebhook);
  const { clock, timeoutMs } = direct ?? { clock: systemClock, timeoutMs: DEFAULT_TIMEOUT_MS };
  const leavePlace = direct?.enter?.();
  if (typeof leavePlace === 'object') return { response: leavePlace };
  let stop: (() => void) | undefined;
  const found = await within<FoundId | Response>(
    clock,
    timeoutMs,
    find(call, connectionId, (stopReading) => {
      stop = stopReading;
    }),
    () => {
      stop?.();
      onError(new ConnectionError('ACQUIRE_TIMEOUT', `connectionId and the body it reads took longer than ${timeoutMs} ms`));
      return failure('ACQUIRE_TIMEOUT');
    },
  ).finally(leavePlace);
  return found instanceof Response ? { response: found } : handOver(call, found.id, found.body);
}

/** The id of a connection, and the body that was read to find it. */
interface FoundId { readonly id: string; readonly body: NodeBody }

async function find(
  { params, head, body, onError }: WebhookCall,
  connectionId: Exclude<ConnectionIdSource, string>,
  onStop: (stop: () => void) => void,
): Promise<FoundId | Response> {
  let read = body;
  try {
    if (body.kind === 'unread')
      read = { kind: 'bytes', bytes: (await body.body.read(Infinity, onStop)) as Uint8Array<ArrayBuffer> };
    else if (body.kind === 'refused') throw body.error;
  } catch (error) {
    if (!isConnectionError(error)) return refusal(400);
    if (error.code === 'BODY_ALREADY_PARSED') onError(error);
    return failure(error.code);
  }
  const bytes = read.kind === 'bytes' ? read.bytes : null;
  const request = new UnverifiedRequest(headFor(head, read), bytes);
  try {
    const id = await connectionId(request, params);
    return typeof id === 'string' && id !== '' ? { id, body: read } : failure('CONNECTION_NOT_FOUND');
  } catch (error) {
    if (request.failedToParseWith(error)) return refusal(400);
    throw error;
  }
}

/** Tells a body that does not parse, a fault of its sender, from a fault of the function that reads it. */
class UnverifiedRequest extends extended(Request) {
  readonly #parseErrors = new Set<unknown>();

  failedToParseWith(error: unknown): boolean {
    return this.#parseErrors.has(error);
  }

  override json(): Promise<any> {
    return this.#noting(() => super.json());
  }

  override formData(): Promise<FormData> {
    return this.#noting(() => super.formData());
  }

  async #noting<T>(parse: () => Promise<T>): Promise<T> {
    const isSecondRead = this.bodyUsed;
    try {
      return await parse();
    } catch (error) {
      if (!isSecondRead) this.#parseErrors.add(error);
      throw error;
    }
  }
}
