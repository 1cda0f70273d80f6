import type { InstanceFactory, WebhookContext } from '../contracts/factory.js';
import type { ConnectionRecord } from '../contracts/record.js';
import { ConnectionError, isConnectionError } from '../errors.js';
import { isThenable } from '../thenable.js';
import type { Lease } from '../slot/lease.js';
import { readBody, rebuilt } from './body.js';
import type { FoundRecord, WebhookHost, WebhookPlatform } from './handle-webhook.js';
import { Holds } from './holds.js';
import { problem } from './responses.js';
import { whenRead } from './streaming.js';

/** What `authenticate` was given. */
interface Known<R> { readonly record?: R; readonly secrets?: unknown }

/**
 * One webhook on its way: row → body → authenticate → lease → handler → response.
 *
 * It is answered once, by whoever comes first: the handler, a failure, or `acknowledge`. Whoever answers says so
 * (`#answered`) before it awaits anything, so that the others know that they are too late.
 */
export class Delivery<R extends ConnectionRecord, I, F extends FoundRecord<R>> {
  readonly #host: WebhookHost<R, I, F>;
  readonly #id: string;
  readonly #request: Request;
  readonly #platform: WebhookPlatform;
  readonly #arrivedAt: number;
  readonly #controller = new AbortController();
  #record: R | undefined;
  #factory: InstanceFactory<R, I> | undefined;
  #body: Uint8Array<ArrayBuffer> | undefined;
  #answered = false;
  /** Its time was up before it had been identified. */
  #late = false;
  #acknowledged = false;
  #cancelAcknowledge: (() => void) | undefined;
  /** Tells the platform that nothing is left to be done after an acknowledgement. */
  #over: (() => void) | undefined;

  constructor(host: WebhookHost<R, I, F>, id: string, request: Request, platform: WebhookPlatform) {
    this.#host = host;
    this.#id = id;
    this.#request = request;
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
      const work = this.#serve(resolve)
        .catch(async (error: unknown) => {
          this.#answered = true;
          this.#cancelAcknowledge?.();
          // Comes to nothing where somebody else has answered.
          resolve(await this.#fail(error));
        })
        .finally(() => {
          this.#over?.();
          ended();
        });
      void work;
    });
  }

  async #serve(resolve: (response: Response) => void): Promise<void> {
    const found = await this.#inTime(this.#identify());
    if (isResponse(found)) {
      resolve(found);
      return;
    }
    const { factory, target, known } = found;
    this.#acknowledgeLater(factory, target.record, resolve);
    await this.#handle(factory, await this.#host.acquire(target), known, resolve);
  }

  /** Everything that can be known without an instance. A Response answers the request at once. */
  async #identify(): Promise<Response | { factory: InstanceFactory<R, I>; target: F; known: Known<R> }> {
    const target = await this.#host.find(this.#id, () => this.#late);
    const { record } = target;
    this.#record = record;
    const factory = this.#factory = this.#host.factoryOf(record);
    const connectionId = this.#id;
    if (factory.handleWebhook === undefined) {
      throw new ConnectionError('NO_WEBHOOK_HANDLER', `The factory of connection '${connectionId}' has no handleWebhook`, { connectionId });
    }
    this.#body = await readBody(this.#request, this.#host.options.maxBodyBytes, this.#controller.signal);
    if (typeof factory.authenticate !== 'function') return { factory, target, known: {} };

    // Whoever was answered for being late is done: nothing more is called on its behalf.
    this.#controller.signal.throwIfAborted();
    const secrets = await this.#host.secretsOf(record);
    this.#controller.signal.throwIfAborted();
    const verdict = await this.#authenticate(factory.authenticate.bind(factory), record, secrets);
    if (isResponse(verdict)) return verdict;
    if (verdict !== true) throw new ConnectionError('UNAUTHENTICATED', 'authenticate refused the request', { connectionId });
    return { factory, target, known: { record, secrets } };
  }

  async #authenticate(
    authenticate: Exclude<NonNullable<InstanceFactory<R, I>['authenticate']>, 'in-handler'>, record: R, secrets: unknown,
  ): Promise<boolean | Response> {
    try {
      const context = { record, secrets, signal: this.#controller.signal };
      return await this.#host.around(record, () => authenticate(this.#copy(), context));
    } catch (cause) {
      throw new ConnectionError('UNAUTHENTICATED', 'authenticate threw', { connectionId: this.#id, cause });
    }
  }

  async #handle(
    factory: InstanceFactory<R, I>, lease: Lease<R, I>, known: Known<R>, resolve: (response: Response) => void,
  ): Promise<void> {
    const holds = new Holds(() => lease.release());
    try {
      const { record } = lease;
      // The instance may be of a newer version than the row the request was authenticated on.
      const secrets = known.record === record ? known.secrets : await this.#secretsUnder(lease);
      const context: WebhookContext<R, unknown> = {
        record,
        secrets,
        get signal() { return lease.signal; },
        waitUntil: (work) => this.#waitUntil(holds, work),
      };
      const response = await this.#callHandler(factory, lease.instance, context);
      this.#cancelAcknowledge?.();
      if (this.#answered) {
        discard(response, holds.take());
        return;
      }
      this.#answered = true;
      resolve(await this.#sendable(response, holds.take()));
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
    throw new ConnectionError('ACQUIRE_TIMEOUT', `The secrets of connection '${this.#id}' came after its instance had to go`, { connectionId: this.#id });
  }

  /** A response may have been read already, or be of another fetch and not to be copied. */
  async #sendable(response: Response, done: () => void): Promise<Response> {
    try {
      return await whenRead(response, done);
    } catch (cause) {
      done();
      this.#answered = false;
      throw new ConnectionError('HANDLER_FAILED', `handleWebhook of connection '${this.#id}' resolved a Response that cannot be sent`, { connectionId: this.#id, cause });
    }
  }

  /** Whether the platform takes it is its own affair: the lease is held all the same. */
  #tellPlatform(work: Promise<unknown>): void {
    try {
      this.#platform.waitUntil?.(work);
    } catch (cause) {
      const error = new ConnectionError('HANDLER_FAILED', `waitUntil of the platform threw for connection '${this.#id}'`, { connectionId: this.#id, cause });
      this.#host.emit('webhookFailed', { id: this.#id, error, acknowledged: this.#acknowledged });
    }
  }

  /** Whatever the handler throws is its own failure, even a ConnectionError: it may use other connections. */
  async #callHandler(factory: InstanceFactory<R, I>, instance: I, context: WebhookContext<R, unknown>): Promise<Response> {
    try {
      const response = await this.#host.around(context.record, () => factory.handleWebhook?.(instance, this.#copy(), context));
      if (isResponse(response)) return response;
      throw new TypeError('handleWebhook must resolve a Response');
    } catch (cause) {
      throw new ConnectionError('HANDLER_FAILED', `handleWebhook of connection '${this.#id}' failed`, { connectionId: this.#id, cause });
    }
  }

  #waitUntil(holds: Holds, work: Promise<unknown>): void {
    const release = holds.take();
    const settled = Promise.resolve(work).then(release, (cause: unknown) => {
      release();
      const error = new ConnectionError('HANDLER_FAILED', `waitUntil work of connection '${this.#id}' failed`, { connectionId: this.#id, cause });
      this.#host.emit('webhookFailed', { id: this.#id, error, acknowledged: true });
    });
    this.#tellPlatform(settled);
  }

  /** Lets `acknowledge` answer if nobody else has by then. */
  #acknowledgeLater(factory: InstanceFactory<R, I>, record: R, resolve: (response: Response) => void): void {
    const { acknowledge } = factory;
    if (acknowledge === undefined) return;
    const { clock } = this.#host;
    const work = new Promise<void>((settle) => { this.#over = settle; });
    const delayMs = Math.max(0, acknowledge.afterMs - (clock.monotonic() - this.#arrivedAt));
    this.#cancelAcknowledge = clock.setTimeout(() => {
      void this.#acknowledge(acknowledge, record, work, resolve);
    }, delayMs, { ref: true });
  }

  async #acknowledge(
    acknowledge: NonNullable<InstanceFactory<R, I>['acknowledge']>, record: R, work: Promise<void>, resolve: (response: Response) => void,
  ): Promise<void> {
    try {
      const response = await this.#host.around(record, () => acknowledge.respond(this.#copy(), { record }));
      if (response === undefined || this.#answered) return;
      this.#answered = true;
      this.#acknowledged = true;
      this.#tellPlatform(work);
      resolve(response);
    } catch (cause) {
      // The work goes on and answers for itself.
      const error = new ConnectionError('HANDLER_FAILED', `acknowledge.respond of connection '${this.#id}' failed`, { connectionId: this.#id, cause });
      this.#host.emit('webhookFailed', { id: this.#id, error, acknowledged: false });
    }
  }

  async #fail(error: unknown): Promise<Response> {
    const failure = isConnectionError(error)
      ? error
      : new ConnectionError('HANDLER_FAILED', `The webhook of connection '${this.#id}' failed`, { connectionId: this.#id, cause: error });
    this.#host.emit('webhookFailed', { id: this.#id, error: failure, acknowledged: this.#acknowledged });
    try {
      const response = await this.#customResponse(failure);
      if (isResponse(response)) return response;
    } catch (cause) {
      const second = new ConnectionError('HANDLER_FAILED', 'respondToFailure failed', { connectionId: this.#id, cause });
      this.#host.emit('webhookFailed', { id: this.#id, error: second, acknowledged: this.#acknowledged });
    }
    return problem(failure);
  }

  /** What the application says instead, if it has anything to say in time. */
  #customResponse(failure: ConnectionError): Promise<Response | undefined> {
    const { options, clock, timeoutMs } = this.#host;
    const record = this.#record;
    const factory = this.#factory;
    const controller = new AbortController();
    const respond = record === undefined
      ? options.respondToFailure && ((request: Request) => options.respondToFailure?.(failure, request))
      : factory?.respondToFailure && ((request: Request) => this.#host.around(record, () =>
        factory.respondToFailure?.(failure, request, { record, acknowledged: this.#acknowledged, signal: controller.signal })));
    if (respond === undefined) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const cancel = timeoutMs === Infinity ? undefined : clock.setTimeout(() => {
        controller.abort(failure);
        resolve(undefined);
      }, timeoutMs, { ref: true });
      this.#readable(controller.signal)
        .then((request) => respond(request))
        .then(resolve, reject)
        .finally(() => cancel?.());
    });
  }

  /** The request with its body, if that can be had at all. */
  async #readable(signal: AbortSignal): Promise<Request> {
    this.#body ??= await readBody(this.#request, this.#host.options.maxBodyBytes, signal).catch(() => new Uint8Array());
    return this.#copy();
  }

  #copy(): Request {
    return rebuilt(this.#request, this.#body ?? new Uint8Array());
  }

  /** Nobody may keep a delivery waiting for ever before it even has an instance: neither vault nor slow sender. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, timeoutMs } = this.#host;
    if (timeoutMs === Infinity) return work;
    return new Promise((resolve, reject) => {
      const cancel = clock.setTimeout(() => {
        const error = new ConnectionError('ACQUIRE_TIMEOUT', `The webhook was not identified within ${timeoutMs} ms`, { connectionId: this.#id });
        this.#late = true;
        reject(error);
        this.#controller.abort(error);
      }, timeoutMs, { ref: true });
      work.then(resolve, reject).finally(cancel);
    });
  }
}

/** Nobody will read it any more. That its source may not be cancelled is no failure of the work that made it. */
function discard(response: Response, done: () => void): void {
  void Promise.resolve(response).then(({ body }) => body?.cancel()).catch(() => {}).finally(done);
}

/** By its shape: a Response may come from another copy of fetch. */
function isResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && !isThenable(value)
    && Number.isInteger((value as Partial<Response>).status) && (value as Partial<Response>).status !== 0
    && typeof (value as Partial<Response>).headers?.get === 'function' && 'body' in value;
}
