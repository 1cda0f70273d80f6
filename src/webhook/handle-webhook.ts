import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import type { WebhookAccess } from './access.js';
import { Delivery } from './delivery.js';
import type { WebhookPlatform } from './platform.js';

/** Serves one webhook; always resolves a Response. */
export type WebhookHandler = (id: string, request: Request, host?: WebhookPlatform) => Promise<Response>;

/** The webhook side of a registry. */
export function createWebhookHandler<R extends ConnectionRecord, I>(access: WebhookAccess<R, I>): WebhookHandler {
  const { env, closing } = access;
  return (id, request, platform = {}) => {
    // Whoever has no types may pass what is not even a string.
    const isString = typeof id === 'string';
    const delivery = new Delivery<R, I>(access, isString ? id : '', request, platform);
    if (!isString || !env.options.webhook.connectionId.test(id)) {
      return delivery.refuse(new ConnectionError('INVALID_CONNECTION_ID', 'The connection id does not match webhook.connectionId'));
    }
    const ended = closing.accept();
    if (ended === undefined) return delivery.refuse(closing.refusal(id));
    return delivery.run(ended);
  };
}
