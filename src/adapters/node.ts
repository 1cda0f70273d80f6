/**
 * A fetch handler on any Node server.
 *
 * @module hydrant/node
 */

import { checkOptions, invalidOption, type NodeHandlerOptions } from './adapter-options.js';
import { discardBody } from '../messages/response-body.js';
import { makeRequest } from '../messages/requests.js';
import { bodyOf, asRequestBody, headFor } from './node-body.js';
import { headOf } from './node-request.js';
import { assertResponse, sendFailure, sendResponse } from './node-response.js';
import { isOver, type NodeRequest, type NodeResponse } from './node-types.js';
import { failure } from './early-answers.js';

export type { AdapterOptions, NodeHandlerOptions } from './adapter-options.js';
export type { NodeRequest, NodeResponse, ParsedByOthers } from './node-types.js';

const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;

/**
 * Serves a fetch handler (`Request` → `Response`) on any Node server: `node:http`, `node:https`, the compatibility
 * layer of `node:http2`, and frameworks that pass Node's own objects.
 *
 * The body reaches the handler byte for byte, as a signature needs it. It is taken from `req.rawBody`, from a `req.body`
 * that is still a Buffer or a string, or from the stream. If a parser has consumed the bytes, the answer is 500
 * `BODY_ALREADY_PARSED`, `onError` gets the fix, and the handler is not called.
 *
 * A body over `maxBodyBytes` (default 1 MiB) is answered with 413, and the rest is not read. `Infinity` leaves the limit to
 * the handler. `request.signal` aborts when the client disconnects, and the response's body is cancelled. If the handler
 * throws, the answer is 500 without details, and `onError` gets the error.
 *
 * @example
 * ```ts
 * createServer(toNodeHandler((request) => registry.handleWebhook(idOf(request), request))).listen(3000);
 * ```
 *
 * @throws ConnectionError with `INVALID_OPTIONS`
 */
export function toNodeHandler(
  handler: (request: Request) => Response | Promise<Response>,
  options: NodeHandlerOptions = {},
): (req: NodeRequest, res: NodeResponse) => void {
  if (typeof handler !== 'function') throw invalidOption('handler', 'a function (request: Request) => Response', handler);
  const { maxBodyBytes = DEFAULT_MAX_BODY_BYTES, onError, ...address } = checkOptions(options);

  async function serve(req: NodeRequest, res: NodeResponse): Promise<void> {
    let isAnswered = false;
    const answer = (response: Response): Promise<void> | void => {
      if (isAnswered) return discardBody(response);
      isAnswered = true;
      return sendResponse({ response }, req, res, onError);
    };

    const head = headOf(req, res, address);
    if (head instanceof Response) return answer(head);
    const body = bodyOf(req, { maxBytes: maxBodyBytes, onTooLarge: () => void answer(failure('BODY_TOO_LARGE')) });
    if (body.kind === 'refused') {
      if (body.error.code === 'BODY_ALREADY_PARSED') onError(body.error);
      return answer(failure(body.error.code));
    }
    try {
      return await answer(assertResponse(await handler(makeRequest(headFor(head, body), asRequestBody(body)))));
    } catch (error) {
      // Not reported if the sender caused the failure: it left, or sent too much.
      if (!isAnswered && !head.signal.aborted) onError(error);
      return answer(failure('HANDLER_FAILED'));
    }
  }

  return (req, res) => {
    serve(req, res).catch((error: unknown) => {
      onError(error);
      if (!isOver(res)) sendFailure(req, res);
    });
  };
}
