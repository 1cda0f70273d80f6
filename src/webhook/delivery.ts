import type { InstanceFactory } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError, isConnectionError } from '../errors.js';
import type { Lease } from '../slot/lease.js';
import { ownSignal } from '../own-signal.js';
import type { Slot } from '../slot/state.js';
import { isThenable } from '../thenable.js';
import type { Found } from '../reads/waiters.js';
import type { WebhookAccess } from './access.js';
import { answerFailure } from './failure.js';
import { bodyEnd, Holds } from './holds.js';
import { Identification } from './identification.js';
import type { Incoming } from '../messages/incoming.js';
import { discardBody, type BodyEnd } from '../messages/response-body.js';
import { isResponse } from '../messages/responses.js';
import type { WebhookPlatform } from './host.js';

/** Gives out the handler's Response, and sees to it that `done` is called once that has been read. */
export type Send = (response: Response, done: BodyEnd) => Response | Promise<Response>;

/**
 * One webhook on its way: row → body → authenticate → lease → handler → response.
 *
 * It is answered once: by the handler, a failure or `acknowledge`, whichever comes first.
 */
export class Delivery<R extends ConnectionRecord, I> {
  readonly #access: WebhookAccess<R, I>;
  readonly #env: Environment<R, I>;
  readonly #id: string;
  readonly #incoming: Incoming;
  readonly #identification: Identification<R, I>;
  readonly #host: WebhookPlatform;
  readonly #send: Send;
  readonly #arrivedAt: number;
  #resolve: (response: Response) => void = () => {};
  #answered = false;
  #acknowledged = false;
  #cancelAcknowledge: (() => void) | undefined;
  /** Tells the host that nothing is left to be done after an acknowledgement. */
  #over: (() => void) | undefined;

  constructor(access: WebhookAccess<R, I>, id: string, incoming: Incoming, host: WebhookPlatform, send: Send) {
    this.#access = access;
    this.#env = access.env;
    this.#id = id;
    this.#incoming = incoming;
    this.#identification = new Identification(access, id, incoming);
    this.#host = host;
    this.#send = send;
    this.#arrivedAt = this.#env.now();
  }

  refuse(error: ConnectionError): Promise<Response> {
    return this.#fail(error);
  }

  /**
   * @param ended - called when nothing of this delivery is left but what its lease holds
   * @param leavePlace - called when the sender is authenticated, or when the delivery has been refused
   */
  run(ended: () => void, leavePlace: () => void): Promise<Response> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      void this.#serve(ended, leavePlace);
    });
  }

  async #serve(ended: () => void, leavePlace: () => void): Promise<void> {
    try {
      const identified = await this.#identification.run();
      leavePlace();
      if (isResponse(identified)) {
        this.#resolve(identified);
        return;
      }
      this.#acknowledgeLater(identified.slot);
      const acquired = this.#access.acquire(this.#id, identified);
      const { promise } = acquired;
      const lease = isThenable(promise) ? await promise : promise;
      await this.#handle(acquired.slot as Slot<R, I>, lease);
    } catch (error) {
      this.#answer();
      // Has no effect if the delivery is already answered.
      this.#resolve(await this.#fail(error));
      this.#incoming.stopReading();
    } finally {
      this.#identification.whenOutOfReadQueue(leavePlace);
      this.#found?.letGo();
      this.#over?.();
      ended();
    }
  }

  /** The row, as soon as it is known. */
  get #found(): Found<R, I> | undefined {
    return this.#identification.found;
  }

  /** Claims the right to answer; call it before awaiting. False if someone already answered. */
  #answer(): boolean {
    this.#cancelAcknowledge?.();
    if (this.#answered) return false;
    return (this.#answered = true);
  }

  async #handle(slot: Slot<R, I>, lease: Lease<R, I>): Promise<void> {
    const { record, factory, secrets } = slot;
    const holds = new Holds(() => lease.release());
    try {
      const confirming = this.#identification.confirm(slot);
      const answer = isThenable(confirming) ? await confirming : confirming;
      if (answer !== undefined) {
        if (this.#answer()) this.#resolve(answer);
        return;
      }
      const waitUntil = (work: Promise<unknown>): void => this.#waitUntil(holds, work);
      const context = ownSignal({ record, secrets, waitUntil }, lease);
      let response: Response | undefined;
      try {
        response = await this.#env.around(record, () => factory.handleWebhook?.(lease.instance, this.#incoming.copy(), context));
        if (!isResponse(response)) throw new TypeError('handleWebhook must resolve a Response');
      } catch (cause) {
        // Even a ConnectionError, because the handler may use other connections.
        throw this.#broken('handleWebhook', cause);
      }
      const done = bodyEnd(holds.take(), this.#env);
      if (!this.#answer()) return discardBody(response, done);
      try {
        const sent = this.#send(response, done);
        this.#resolve(isThenable(sent) ? await sent : sent);
      } catch (cause) {
        // The response may have been read already, or come from another fetch that cannot be copied.
        done();
        this.#resolve(await this.#fail(this.#broken('Sending the Response', cause)));
      }
    } finally {
      holds.close();
    }
  }

  /** A `waitUntil` of the host that fails, at once or later, does not affect the lease. */
  #handToHost(work: Promise<unknown>): void {
    const failed = (cause: unknown): void => this.#emitFailure("The platform's waitUntil", cause, this.#acknowledged);
    try {
      const handed: unknown = this.#host.waitUntil?.(work);
      if (isThenable(handed)) Promise.resolve(handed).catch(failed);
    } catch (cause) {
      failed(cause);
    }
  }

  #waitUntil(holds: Holds, work: Promise<unknown>): void {
    this.#handToHost(this.#settled(work, holds.take()));
  }

  async #settled(work: Promise<unknown>, release: () => void): Promise<void> {
    try {
      await work;
    } catch (cause) {
      this.#emitFailure('Work passed to waitUntil', cause, true);
    } finally {
      release();
    }
  }

  /** Lets `acknowledge` answer if nobody else has by then. */
  #acknowledgeLater({ record, factory: { acknowledge } }: Slot<R, I>): void {
    if (acknowledge === undefined) return;
    // Not the environment's clock: `respond` is called for this request, and so in its async context.
    const { clock } = this.#env.options;
    const work = new Promise<void>((settle) => {
      this.#over = settle;
    });
    const delayMs = Math.max(0, acknowledge.afterMs - (clock.monotonic() - this.#arrivedAt));
    this.#cancelAcknowledge = clock.setTimeout(
      () => {
        void this.#acknowledge(acknowledge, record, work);
      },
      delayMs,
      { ref: true },
    );
  }

  async #acknowledge(
    acknowledge: NonNullable<InstanceFactory<R, I>['acknowledge']>,
    record: R,
    work: Promise<void>,
  ): Promise<void> {
    try {
      const response = await this.#env.around(record, () => acknowledge.respond(this.#incoming.copy(), { record }));
      if (response === undefined) return;
      if (!isResponse(response)) throw new TypeError('acknowledge.respond must resolve a Response or undefined');
      if (!this.#answer()) return discardBody(response);
      this.#acknowledged = true;
      this.#handToHost(work);
      this.#resolve(response);
    } catch (cause) {
      // The handler still runs, and its response will be the answer.
      this.#emitFailure('acknowledge.respond', cause, false);
    }
  }

  #broken(what: string, cause: unknown): ConnectionError {
    return new ConnectionError('HANDLER_FAILED', `${what} of connection '${this.#id}' failed`, { connectionId: this.#id, cause });
  }

  #emitFailure(what: string, cause: unknown, acknowledged: boolean): void {
    this.#env.emit('webhookFailed', { id: this.#id, error: this.#broken(what, cause), acknowledged });
  }

  #fail(error: unknown): Promise<Response> {
    const failure = isConnectionError(error) ? error : this.#broken('The webhook', error);
    return answerFailure(
      this.#env,
      { id: this.#id, incoming: this.#incoming, acknowledged: this.#acknowledged, slot: this.#found?.slot },
      failure,
    );
  }
}
