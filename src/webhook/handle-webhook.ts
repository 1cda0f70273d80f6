import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import { MAX_ID_LENGTH } from '../ids.js';
import type { WebhookAccess } from './access.js';
import { Delivery } from './delivery.js';
import type { WebhookPlatform } from './platform.js';
import { problem } from './responses.js';

/** Serves one webhook; always resolves a Response. */
export type WebhookHandler = (id: string, request: Request, host?: WebhookPlatform) => Promise<Response>;

/** The webhook side of a registry. */
export function createWebhookHandler<R extends ConnectionRecord, I>(access: WebhookAccess<R, I>): WebhookHandler {
  const { env, closing } = access;
  return (id, request, platform = {}) => {
    const { connectionId, maxUnauthenticated } = env.options.webhook;
    // Without types, it may not even be a string. Cut before a regular expression or an event sees it.
    const shown = typeof id === 'string' ? id.slice(0, MAX_ID_LENGTH) : '';
    const delivery = new Delivery<R, I>(access, shown, request, platform);
    if (shown !== id || !connectionId.test(id)) {
      return delivery.refuse(new ConnectionError('INVALID_CONNECTION_ID', 'The connection id does not match webhook.connectionId'));
    }
    if (access.unauthenticated >= maxUnauthenticated) {
      const error = new ConnectionError('OVERLOADED', `webhook.maxUnauthenticated (${maxUnauthenticated}) other deliveries are not authenticated yet`, {
        connectionId: id,
      });
      env.emit('webhookFailed', { id, error, acknowledged: false });
      // Whatever is called or read for it costs more than it may.
      return Promise.resolve(problem(error));
    }
    const ended = closing.accept();
    if (ended === undefined) return delivery.refuse(closing.refusal(id));
    return delivery.run(ended);
  };
}
