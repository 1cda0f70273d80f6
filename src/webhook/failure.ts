import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import type { Slot } from '../slot/state.js';
import { within } from '../within.js';
import type { Incoming } from '../messages/incoming.js';
import { problem } from '../messages/problem.js';
import { isResponse } from '../messages/responses.js';

/** A delivery as far as it came. */
export interface FailedDelivery<R extends ConnectionRecord, I> {
  readonly id: string;
  readonly incoming: Incoming;
  readonly acknowledged: boolean;
  /** `undefined` if its row is not known. */
  readonly slot: Slot<R, I> | undefined;
}

/** Emits a failure and answers it, with the application's response or the default one. Never rejects. */
export async function answerFailure<R extends ConnectionRecord, I>(
  env: Environment<R, I>, delivery: FailedDelivery<R, I>, failure: ConnectionError,
): Promise<Response> {
  const { id, acknowledged } = delivery;
  env.emit('webhookFailed', { id, error: failure, acknowledged });
  try {
    const response = await customResponse(env, delivery, failure);
    if (isResponse(response)) return response;
  } catch (cause) {
    const error = new ConnectionError('HANDLER_FAILED', 'respondToFailure failed', { connectionId: id, cause });
    env.emit('webhookFailed', { id, error, acknowledged });
  }
  try {
    return problem(failure);
  } catch {
    // Another copy of the package may have made it, or a proxy.
    return problem({ code: 'HANDLER_FAILED', retryAfterMs: undefined });
  }
}

/** The application's own response, if it returns one in time. */
function customResponse<R extends ConnectionRecord, I>(
  env: Environment<R, I>, { incoming, acknowledged, slot }: FailedDelivery<R, I>, failure: ConnectionError,
): Promise<Response | undefined> | undefined {
  const { clock, options: { acquireTimeoutMs, webhook } } = env;
  const controller = new AbortController();
  const respond = slot === undefined
    ? webhook.respondToFailure && ((request: Request) => webhook.respondToFailure?.(failure, request))
    : slot.factory.respondToFailure && ((request: Request) => env.around(slot.record, () =>
      slot.factory.respondToFailure?.(failure, request, { record: slot.record, acknowledged, signal: controller.signal })));
  if (respond === undefined) return undefined;
  // The function gets the body too, as far as it can be read.
  const response = incoming.read().catch(() => {}).then(() => respond(incoming.copy()));
  return within(clock, acquireTimeoutMs, response, () => {
    incoming.stopReading();
    controller.abort(failure);
    return undefined;
  });
}
