import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import { MAX_ID_LENGTH } from '../ids.js';
import { DIRECT, type DirectDelivery } from '../messages/direct.js';
import { Incoming } from '../messages/incoming.js';
import { problem } from '../messages/problem.js';
import type { BodyEnd } from '../messages/response-body.js';
import { whenRead } from '../messages/streaming.js';
import type { WebhookAccess } from './access.js';
import { Delivery, type Send } from './delivery.js';
import type { WebhookPlatform } from './host.js';

/** Serves one webhook. Always resolves to a Response. */
export type WebhookHandler = (id: string, request: Request, host?: WebhookPlatform) => Promise<Response>;

/** The webhook side of a registry. */
export function createWebhookHandler<R extends ConnectionRecord, I>(access: WebhookAccess<R, I>): WebhookHandler {
  const { env, closing } = access;
  const { connectionId, maxBodyBytes, maxUnauthenticated } = env.options.webhook;

  /** Cheap: nothing is called or read for it. */
  const overloaded = (id: string): Response => {
    const error = new ConnectionError(
      'OVERLOADED',
      `webhook.maxUnauthenticated (${maxUnauthenticated}) other deliveries are not authenticated yet`,
      { connectionId: id },
    );
    env.emit('webhookFailed', { id, error, acknowledged: false });
    return problem(error);
  };

  const serve = (id: string, incoming: Incoming, host: WebhookPlatform, send: Send): Promise<Response> => {
    // Without types, it may not even be a string. Cut before a regular expression or an event sees it.
    const shown = typeof id === 'string' ? id.slice(0, MAX_ID_LENGTH) : '';
    const leavePlace = access.takePlace();
    if (leavePlace === undefined) return Promise.resolve(overloaded(shown));
    const delivery = new Delivery<R, I>(access, shown, incoming, host, send);
    const refuse = (error: ConnectionError): Promise<Response> => delivery.refuse(error).finally(leavePlace);
    if (shown !== id || !connectionId.test(id))
      return refuse(new ConnectionError('INVALID_CONNECTION_ID', 'The connection id does not match webhook.connectionId'));
    const ended = closing.accept();
    return ended === undefined ? refuse(closing.refusal(id)) : delivery.run(ended, leavePlace);
  };

  const direct: DirectDelivery = {
    clock: env.clock,
    timeoutMs: env.options.acquireTimeoutMs,
    maxBodyBytes,
    enter: () => access.takePlace() ?? overloaded(''),
    async deliver(id, head, body) {
      let done: BodyEnd | undefined;
      const response = await serve(id, new Incoming(head, maxBodyBytes, body), {}, (sent, isRead) => {
        done = isRead;
        return sent;
      });
      return { response, done };
    },
  };
  const handler: WebhookHandler = (id, request, host = {}) =>
    serve(id, new Incoming(request, maxBodyBytes), host, whenRead);
  return Object.defineProperty(handler, DIRECT, { value: direct });
}
