import type { InstanceFactory, WebhookContext } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError, isConnectionError } from '../errors.js';
import type { Lease } from '../slot/lease.js';
import { ownSignal } from '../own-signal.js';
import { isThenable } from '../thenable.js';
import { within } from '../within.js';
import { answerFailure, isResponse } from './failure.js';
import type { FoundRecord, WebhookHost, WebhookPlatform } from './handle-webhook.js';
import { Holds } from './holds.js';
import { Incoming } from './incoming.js';
import { whenRead } from './streaming.js';

/** A delivery that may have a lease. */
interface Identified<R extends ConnectionRecord, I, F extends FoundRecord<R>> {
  readonly factory: InstanceFactory<R, I>; readonly found: F;
}

/**
 * One webhook on its way: row → body → authenticate → lease → handler → response.
 *
 * It is answered once, by whoever comes first: the handler, a failure, or `acknowledge`.
 */
export class Delivery<R extends ConnectionRecord, I, F extends FoundRecord<R>> {
  readonly #host: WebhookHost<R, I, F>;
  readonly #id: string;
  readonly #incoming: Incoming;
  readonly #platform: WebhookPlatform;
  readonly #arrivedAt: number;
  #resolve: (response: Response) => void = () => {};
  #known: { readonly record: R; readonly factory: InstanceFactory<R, I> } | undefined;
  #answered = false;
  /** Its time was up before it had been identified. */
  #late: ConnectionError | undefined;
  #acknowledged = false;
  #cancelAcknowledge: (() => void) | undefined;
  /** Tells the platform that nothing is left to be done after an acknowledgement. */
  #over: (() => void) | undefined;

  constructor(host: WebhookHost<R, I, F>, id: string, request: Request, platform: WebhookPlatform) {
    this.#host = host;
    this.#id = id;
    this.#incoming = new Incoming(request, host.options.maxBodyBytes);
    this.#platform = platform;
    this.#arrivedAt = host.clock.monotonic();
  }

  /** Answers without looking any further. */
  refuse(error: ConnectionError): Promise<Response> {
    return this.#fail(error);
  }

  /** @param ended - called when nothing of this delivery is left but what its lease holds */
  run(ended: () => void): Promise<Response> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      void this.#serve(ended);
    });
  }

  async #serve(ended: () => void): Promise<void> {
    try {
      const identified = await this.#inTime();
      if (isResponse(identified)) {
        this.#resolve(identified);
        return;
      }
      const { factory, found } = identified;
      this.#acknowledgeLater(factory, found.record);
      await this.#handle(factory, await this.#host.acquire(found));
    } catch (error) {
      this.#answer();
      // Comes to nothing where somebody else has answered.
      this.#resolve(await this.#fail(error));
    } finally {
      this.#over?.();
      ended();
    }
  }

  /** Who answers says so here before it awaits anything. `false`: somebody else was first. */
  #answer(): boolean {
    this.#cancelAcknowledge?.();
    if (this.#answered) return false;
    return this.#answered = true;
  }

  /** Nobody may keep a delivery waiting for ever before it even has an instance: neither vault nor slow sender. */
  #inTime(): Promise<Response | Identified<R, I, F>> {
    const { clock, timeoutMs } = this.#host;
    const controller = new AbortController();
    return within(clock, timeoutMs, this.#identify(controller), () => {
      this.#late = new ConnectionError('ACQUIRE_TIMEOUT', `The webhook was not identified within ${timeoutMs} ms`, { connectionId: this.#id });
      this.#incoming.stopReading();
      controller.abort(this.#late);
      throw this.#late;
    });
  }

  /** Everything that can be known without an instance. A Response answers the request at once. */
  async #identify(controller: AbortController): Promise<Response | Identified<R, I, F>> {
    const found = await this.#host.find(this.#id, () => this.#late !== undefined);
    const { record } = found;
    const factory = this.#host.factoryOf(record);
    this.#known = { record, factory };
    const connectionId = this.#id;
    if (factory.handleWebhook === undefined) {
      throw new ConnectionError('NO_WEBHOOK_HANDLER', `The factory of connection '${connectionId}' has no handleWebhook`, { connectionId });
    }
    await this.#incoming.read();
    const { authenticate } = factory;
    if (typeof authenticate !== 'function') return { factory, found };

    this.#throwIfLate();
    const secrets = await this.#host.secretsOf(record);
    this.#throwIfLate();
    const verdict = await this.#authenticate(authenticate.bind(factory), record, secrets, controller);
    if (isResponse(verdict)) return verdict;
    if (verdict !== true) throw new ConnectionError('UNAUTHENTICATED', 'authenticate refused the request', { connectionId });
    return { factory, found };
  }

  /** Whoever was answered for being late is done: nothing more is called on its behalf. */
  #throwIfLate(): void {
    if (this.#late !== undefined) throw this.#late;
  }

  async #authenticate(
    authenticate: Exclude<NonNullable<InstanceFactory<R, I>['authenticate']>, 'in-handler'>, record: R, secrets: unknown, controller: AbortController,
  ): Promise<boolean | Response> {
    try {
      const context = ownSignal({ record, secrets }, controller);
      return await this.#host.around(record, () => authenticate(this.#incoming.copy(), context));
    } catch (cause) {
      throw new ConnectionError('UNAUTHENTICATED', 'authenticate threw', { connectionId: this.#id, cause });
    }
  }

  async #handle(factory: InstanceFactory<R, I>, lease: Lease<R, I>): Promise<void> {
    const holds = new Holds(() => lease.release());
    try {
      const { record } = lease;
      // Not those it was authenticated with: the instance may be of a newer version, or made after an `invalidate`.
      const secrets = await this.#secretsUnder(lease);
      const waitUntil = (work: Promise<unknown>): void => this.#waitUntil(holds, work);
      const context = ownSignal({ record, secrets, waitUntil }, lease);
      const response = await this.#callHandler(factory, lease.instance, context);
      if (this.#answer()) this.#resolve(await this.#sendable(response, holds.take()));
      else discard(response, holds.take());
    } finally {
      holds.close();
    }
  }

  /** A drain deadline may pass while the secrets are fetched: what was disposed of meanwhile is not handed out. */
  async #secretsUnder(lease: Lease<R, I>): Promise<unknown> {
    const secrets = this.#host.secretsOf(lease.record);
    if (!isThenable(secrets)) return secrets;
    const resolved = await secrets;
    if (!lease.signal.aborted) return resolved;
    const { closing } = this.#host;
    if (closing.expired) throw closing.refusal(this.#id);
    throw new ConnectionError('ACQUIRE_TIMEOUT', `The secrets of connection '${this.#id}' could not be had in time`, { connectionId: this.#id });
  }

  /** A response may have been read already, or be of another fetch and not to be copied. */
  async #sendable(response: Response, done: () => void): Promise<Response> {
    try {
      return await whenRead(response, done);
    } catch (cause) {
      done();
      return this.#fail(this.#broken('Sending the Response', cause));
    }
  }

  /** Whether the platform takes it is its own affair: the lease is held all the same. */
  #tellPlatform(work: Promise<unknown>): void {
    try {
      this.#platform.waitUntil?.(work);
    } catch (cause) {
      this.#tell("The platform's waitUntil", cause, this.#acknowledged);
    }
  }

  /** Whatever the handler throws is its own failure, even a ConnectionError: it may use other connections. */
  async #callHandler(factory: InstanceFactory<R, I>, instance: I, context: WebhookContext<R, unknown>): Promise<Response> {
    try {
      const response = await this.#host.around(context.record, () => factory.handleWebhook?.(instance, this.#incoming.copy(), context));
      if (isResponse(response)) return response;
      throw new TypeError('handleWebhook must resolve a Response');
    } catch (cause) {
      throw this.#broken('handleWebhook', cause);
    }
  }

  #waitUntil(holds: Holds, work: Promise<unknown>): void {
    this.#tellPlatform(this.#settled(work, holds.take()));
  }

  async #settled(work: Promise<unknown>, release: () => void): Promise<void> {
    try {
      await work;
    } catch (cause) {
      this.#tell('Work handed to waitUntil', cause, true);
    } finally {
      release();
    }
  }

  /** Lets `acknowledge` answer if nobody else has by then. */
  #acknowledgeLater(factory: InstanceFactory<R, I>, record: R): void {
    const { acknowledge } = factory;
    if (acknowledge === undefined) return;
    const { clock } = this.#host;
    const work = new Promise<void>((settle) => { this.#over = settle; });
    const delayMs = Math.max(0, acknowledge.afterMs - (clock.monotonic() - this.#arrivedAt));
    this.#cancelAcknowledge = clock.setTimeout(() => {
      void this.#acknowledge(acknowledge, record, work);
    }, delayMs, { ref: true });
  }

  async #acknowledge(acknowledge: NonNullable<InstanceFactory<R, I>['acknowledge']>, record: R, work: Promise<void>): Promise<void> {
    try {
      const response = await this.#host.around(record, () => acknowledge.respond(this.#incoming.copy(), { record }));
      if (response === undefined || !this.#answer()) return;
      this.#acknowledged = true;
      this.#tellPlatform(work);
      this.#resolve(response);
    } catch (cause) {
      // The work goes on and answers for itself.
      this.#tell('acknowledge.respond', cause, false);
    }
  }

  #broken(what: string, cause: unknown): ConnectionError {
    return new ConnectionError('HANDLER_FAILED', `${what} of connection '${this.#id}' failed`, { connectionId: this.#id, cause });
  }

  #tell(what: string, cause: unknown, acknowledged: boolean): void {
    this.#host.emit('webhookFailed', { id: this.#id, error: this.#broken(what, cause), acknowledged });
  }

  #fail(error: unknown): Promise<Response> {
    const failure = isConnectionError(error) ? error : this.#broken('The webhook', error);
    return answerFailure(this.#host, { id: this.#id, incoming: this.#incoming, acknowledged: this.#acknowledged, known: this.#known }, failure);
  }
}

/** Nobody will read it any more. That its source may not be cancelled is no failure of the work that made it. */
function discard(response: Response, done: () => void): void {
  void Promise.resolve(response).then(({ body }) => body?.cancel()).catch(() => {}).finally(done);
}
