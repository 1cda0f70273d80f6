import type { Clock } from '../clock.js';
import type { InstanceFactory } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import { ConnectionError } from '../errors.js';
import type { RegistryEvents } from '../events.js';
import type { Lease } from '../slot/lease.js';
import { Delivery } from './delivery.js';

/** Serves one webhook; always resolves a Response. */
export type WebhookHandler = (id: string, request: Request, host?: WebhookPlatform) => Promise<Response>;

/** What the platform that runs the gateway offers. */
export interface WebhookPlatform {
  /** Told of all work that goes on after the response, so that the platform does not stop the process under it. */
  waitUntil?(work: Promise<unknown>): void;
}

/** A row as the registry found it for a delivery, and whatever it must remember until the lease is taken. */
export interface FoundRecord<R> { readonly record: R }

/** What webhooks need of the registry. */
export interface WebhookHost<R extends ConnectionRecord, I, F extends FoundRecord<R> = FoundRecord<R>> {
  readonly clock: Clock;
  readonly options: {
    readonly connectionId: RegExp;
    readonly maxBodyBytes: number;
    readonly respondToFailure: ((failure: ConnectionError, request: Request) => Awaitable<Response | undefined>) | undefined;
  };
  /** For the row, its secrets, the body and the verdict together; then again for the lease. */
  readonly timeoutMs: number;
  readonly closing: {
    /** Called when a delivery comes; what it returns, when that delivery has ended. `undefined` while closing. */
    accept(): (() => void) | undefined;
    /** The deadline of `close` has passed: what was accepted is refused after all. */
    readonly expired: boolean;
    refusal(id: string): ConnectionError;
  };
  /** The row, as fresh as the registry's `freshness` asks, unless the delivery has `gone` without it. */
  find(id: string, gone: () => boolean): Promise<F>;
  /** A lease that rests on the read that found the row. */
  acquire(found: F): Promise<Lease<R, I>>;
  factoryOf(record: R): InstanceFactory<R, I>;
  /** Throws a ConnectionError where they cannot be had. */
  secretsOf(record: R): Awaitable<unknown>;
  around<T>(record: R, work: () => T): T;
  emit<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void;
}

/** The webhook side of a registry. */
export function createWebhookHandler<R extends ConnectionRecord, I, F extends FoundRecord<R>>(host: WebhookHost<R, I, F>): WebhookHandler {
  return (id, request, platform = {}) => {
    // Whoever has no types may pass what is not even a string.
    const isString = typeof id === 'string';
    const delivery = new Delivery<R, I, F>(host, isString ? id : '', request, platform);
    if (!isString || !host.options.connectionId.test(id)) {
      return delivery.refuse(new ConnectionError('INVALID_CONNECTION_ID', 'The connection id does not match webhook.connectionId'));
    }
    const ended = host.closing.accept();
    if (ended === undefined) return delivery.refuse(host.closing.refusal(id));
    return delivery.run(ended);
  };
}
