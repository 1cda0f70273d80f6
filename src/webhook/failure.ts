import type { InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import { isThenable } from '../thenable.js';
import { within } from '../within.js';
import type { FoundRecord, WebhookHost } from './handle-webhook.js';
import type { Incoming } from './incoming.js';
import { problem } from './responses.js';

/** A delivery as far as it came. */
export interface FailedDelivery<R extends ConnectionRecord, I> {
  readonly id: string;
  readonly incoming: Incoming;
  readonly acknowledged: boolean;
  readonly known: { readonly record: R; readonly factory: InstanceFactory<R, I> } | undefined;
}

/** Tells of a failure, and answers it: as the application has it, or with what is usual. Never rejects. */
export async function answerFailure<R extends ConnectionRecord, I, F extends FoundRecord<R>>(
  host: WebhookHost<R, I, F>, delivery: FailedDelivery<R, I>, failure: ConnectionError,
): Promise<Response> {
  const { id, acknowledged } = delivery;
  host.emit('webhookFailed', { id, error: failure, acknowledged });
  try {
    const response = await customResponse(host, delivery, failure);
    if (isResponse(response)) return response;
  } catch (cause) {
    const error = new ConnectionError('HANDLER_FAILED', 'respondToFailure failed', { connectionId: id, cause });
    host.emit('webhookFailed', { id, error, acknowledged });
  }
  return problem(failure);
}

/** What the application says instead, if it has anything to say in time. */
function customResponse<R extends ConnectionRecord, I, F extends FoundRecord<R>>(
  host: WebhookHost<R, I, F>, { incoming, acknowledged, known }: FailedDelivery<R, I>, failure: ConnectionError,
): Promise<Response | undefined> | undefined {
  const controller = new AbortController();
  const respond = known === undefined
    ? host.options.respondToFailure && ((request: Request) => host.options.respondToFailure?.(failure, request))
    : known.factory.respondToFailure && ((request: Request) => host.around(known.record, () =>
      known.factory.respondToFailure?.(failure, request, { record: known.record, acknowledged, signal: controller.signal })));
  if (respond === undefined) return undefined;
  // With its body, if that can be had at all.
  const response = incoming.read().catch(() => {}).then(() => respond(incoming.copy()));
  return within(host.clock, host.timeoutMs, response, () => {
    incoming.stopReading();
    controller.abort(failure);
    return undefined;
  });
}

/** By its shape: a Response may come from another copy of fetch. */
export function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && !isThenable(value)
    && Number.isInteger((value as Partial<Response>).status) && (value as Partial<Response>).status !== 0
    && typeof (value as Partial<Response>).headers?.get === 'function' && 'body' in value;
}
