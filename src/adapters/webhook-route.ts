import { ConnectionError, isConnectionError } from '../errors.js';
import type { WebhookHandler } from '../webhook/handle-webhook.js';
import { invalidOption } from './adapter-options.js';
import { bodyPart, type NodeBody } from './node-body.js';
import type { RequestHead } from './node-request.js';
import { assertResponse } from './node-response.js';
import { failure, refusal } from './problem.js';

/** The part of a `ConnectionRegistry` an adapter uses: a fake is one object literal. */
export interface WebhookRegistry {
  readonly handleWebhook: WebhookHandler;
}

/**
 * Where the connection's id comes from: the name of a route parameter, or a function of the request, for one URL
 * that many connections share.
 *
 * The function may read the body; the registry gets it whole again. It runs before anything is authenticated, so it
 * must only look up, never act, and it cannot answer: that is for `authenticate`. `undefined` is answered with 404, a
 * body that does not parse with 400, and anything else it throws with 500 without details (`onError` gets it).
 */
export type ConnectionIdSource =
  | string
  | ((
    request: Request,
    params: Readonly<Record<string, string>>,
  ) => string | undefined | Promise<string | undefined>);

/** How much of a body is held in memory for a `connectionId` function that may read it. */
export const DEFAULT_BUFFERED_BYTES = 1024 * 1024;

/** One request on its way to the registry. */
export interface WebhookCall {
  readonly registry: WebhookRegistry;
  readonly connectionId: ConnectionIdSource;
  readonly params: Readonly<Record<string, string>>;
  readonly head: RequestHead;
  readonly body: NodeBody;
  readonly onError: (error: unknown) => void;
}

/** @throws ConnectionError with `INVALID_OPTIONS` */
export function checkRoute(registry: WebhookRegistry, connectionId: ConnectionIdSource): void {
  if (typeof registry?.handleWebhook !== 'function') {
    throw invalidOption('registry', 'an object with handleWebhook, such as a ConnectionRegistry', registry);
  }
  if (typeof connectionId !== 'function' && (typeof connectionId !== 'string' || connectionId === '')) {
    throw invalidOption('connectionId', 'the name of a route parameter or a function of the request', connectionId);
  }
}

/** Finds the id, hands the request over, and always has an answer. Never rejects. */
export async function answerWebhook(call: WebhookCall): Promise<Response> {
  const { registry, connectionId, params, head, body, onError } = call;
  try {
    if (typeof connectionId === 'function') return await answerById(call, connectionId);
    const id = params[connectionId];
    if (id !== undefined) return assertResponse(await registry.handleWebhook(id, head.withBody(bodyPart(body))));
    onError(new ConnectionError('INVALID_OPTIONS', `connectionId: expected a route with the parameter ':${connectionId}', got a route with ${namesOf(params)}`));
    return failure('INVALID_OPTIONS');
  } catch (error) {
    if (!head.signal.aborted) onError(error);
    return failure('HANDLER_FAILED');
  }
}

function namesOf(params: Readonly<Record<string, string>>): string {
  const names = Object.keys(params);
  return names.length === 0 ? 'no parameters' : names.map((name) => `':${name}'`).join(', ');
}

async function answerById(
  { registry, params, head, body, onError }: WebhookCall,
  connectionId: Exclude<ConnectionIdSource, string>,
): Promise<Response> {
  let bytes: Uint8Array<ArrayBuffer> | null;
  try {
    bytes = body.kind === 'empty' ? null : new Uint8Array(await head.withBody(bodyPart(body)).arrayBuffer());
  } catch (error) {
    if (!isConnectionError(error)) return refusal(400);
    if (error.code === 'BODY_ALREADY_PARSED') onError(error);
    return failure(error.code);
  }
  const request = head.withBody(bytes, UnverifiedRequest);
  let id: string | undefined;
  try {
    id = await connectionId(request, params);
  } catch (error) {
    if (request instanceof UnverifiedRequest && request.failedToParseWith(error)) return refusal(400);
    throw error;
  }
  if (typeof id !== 'string' || id === '') return failure('CONNECTION_NOT_FOUND');
  return assertResponse(await registry.handleWebhook(id, head.withBody(bytes)));
}

/** Knows a body that does not parse, which is its sender's fault, from a fault of the function that reads it. */
class UnverifiedRequest extends Request {
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
