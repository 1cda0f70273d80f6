import type { Clock } from '../clock.js';
import type { BodyEnd } from './response-body.js';
import type { RequestHead, UnreadBody } from './requests.js';

/** A Response on its way out. */
export interface Outgoing {
  readonly response: Response;
  readonly done?: BodyEnd | undefined;
}

/**
 * The path from an adapter of this package to a registry. It saves a Request that would only be read. The adapter reports
 * when the last byte of the response has gone, so the response is sent as the handler made it.
 */
export interface DirectDelivery {
  readonly clock: Clock;
  /** The longest time until a delivery is identified. */
  readonly timeoutMs: number;
  /** The registry's `webhook.maxBodyBytes`. A registry of an older version does not tell it. */
  readonly maxBodyBytes?: number;
  /**
   * Counts a request whose id is still looked up, until the function that is returned is called. A Response refuses it,
   * because too many deliveries are not authenticated yet. A registry of an older version counts none.
   */
  readonly enter?: () => (() => void) | Response;
  deliver(id: string, head: RequestHead, body: Pick<UnreadBody, 'read'>): Promise<Outgoing>;
}

/** The key under which `handleWebhook` has it. Shared by every copy of the package in a process. */
export const DIRECT: unique symbol = Symbol.for('hydrant.directDelivery');

/** A registry's `handleWebhook` has it. One that an application has wrapped has not. */
export function directDelivery(handleWebhook: object): DirectDelivery | undefined {
  return (handleWebhook as { readonly [DIRECT]?: DirectDelivery })[DIRECT];
}
