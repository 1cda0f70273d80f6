import type { Clock } from '../clock.js';
import type { BodyEnd } from './response-body.js';
import type { RequestHead, UnreadBody } from './requests.js';

/** A Response on its way out. */
export interface Outgoing {
  readonly response: Response;
  readonly done?: BodyEnd | undefined;
}

/**
 * How an adapter of this package reaches a registry. No Request is made only to be read, and the adapter says itself
 * when the last byte of the response has gone, so that the response is sent as the handler made it.
 */
export interface DirectDelivery {
  readonly clock: Clock;
  /** How long a delivery may take until it is identified. */
  readonly timeoutMs: number;
  /** The registry's `webhook.maxBodyBytes`. A registry of an older version does not tell it. */
  readonly maxBodyBytes?: number;
  deliver(id: string, head: RequestHead, body: Pick<UnreadBody, 'read'>): Promise<Outgoing>;
}

/** Where `handleWebhook` keeps it. Shared by every copy of the package in a process. */
export const DIRECT: unique symbol = Symbol.for('hydrant.directDelivery');

/** A registry's `handleWebhook` has it. One that an application has wrapped has not. */
export function directDelivery(handleWebhook: object): DirectDelivery | undefined {
  return (handleWebhook as { readonly [DIRECT]?: DirectDelivery })[DIRECT];
}
