import type { InstanceFactory } from '../contracts/factory.js';
import type { Awaitable, ConnectionRecord } from '../contracts/record.js';
import type { Environment } from '../environment.js';
import { ConnectionError } from '../errors.js';
import { otherPlatform } from '../hydrate/refusals.js';
import type { Found } from '../reads/waiters.js';
import { ownSignal } from '../own-signal.js';
import type { Slot } from '../slot/state.js';
import { isThenable } from '../thenable.js';
import { whenAborted } from '../when-aborted.js';
import { within } from '../within.js';
import type { WebhookAccess } from './access.js';
import type { Incoming } from '../messages/incoming.js';
import { isResponse } from '../messages/responses.js';

/**
 * Everything that can be known of a delivery without an instance: row → body → secrets → authenticate.
 *
 * It ends early in two ways: its time is up, or its sender has gone. Then nothing more is called on its behalf.
 */
export class Identification<R extends ConnectionRecord, I> {
  /** The row, as soon as it is known. */
  found: Found<R, I> | undefined;
  readonly #access: WebhookAccess<R, I>;
  readonly #env: Environment<R, I>;
  readonly #id: string;
  readonly #incoming: Incoming;
  #controller: AbortController | undefined;
  /** The secrets that identified the sender. */
  #secrets: unknown;
  #forgetSender: (() => void) | undefined;
  /** Takes it out of the queue for secrets. */
  #leaveSecretsQueue: (() => void) | undefined;
  /** The read of the row, until it has come. */
  #pendingRead: PromiseLike<unknown> | undefined;
  /** Why it ended early. */
  #ended: ConnectionError | undefined;

  constructor(access: WebhookAccess<R, I>, id: string, incoming: Incoming) {
    this.#access = access;
    this.#env = access.env;
    this.#id = id;
    this.#incoming = incoming;
  }

  /**
   * Identifies the sender. A Response answers the request at once.
   *
   * @throws ConnectionError why the delivery is refused
   */
  run(): Promise<Response | Found<R, I>> {
    return this.#inTime(this.#identify());
  }

  /** Calls back once no read is left in a queue for this delivery. Senders who leave must not fill the queue. */
  whenOutOfReadQueue(callback: () => void): void {
    if (this.#pendingRead === undefined) callback();
    else this.#pendingRead.then(callback, callback);
  }

  /**
   * Checks that an instance may serve this delivery. If the row has another version or other secrets than those that
   * the sender was identified with, the sender is identified again. A Response answers the request at once.
   *
   * @throws ConnectionError `UNAUTHENTICATED`, `ACQUIRE_TIMEOUT`, `REGISTRY_CLOSED`
   */
  confirm(slot: Slot<R, I>): Awaitable<Response | undefined> {
    const found = this.found as Found<R, I>;
    const { record, factory, version, secrets, checkedAt } = slot;
    if (factory !== found.slot.factory) throw otherPlatform(this.#id);
    if (typeof factory.authenticate !== 'function' || (version === found.slot.version && secrets === this.#secrets))
      return undefined;
    // With `keepLastGood`, an instance of an older row may serve senders that the newer row has identified.
    if (checkedAt < found.sentAt) return undefined;
    return this.#inTime(this.#verify(record, factory, secrets)).then((answer) => this.#unlessDisposed(slot, answer));
  }

  /** The drain deadline may have passed meanwhile. An instance that was disposed of is not handed out. */
  #unlessDisposed({ state: { kind } }: Slot<R, I>, answer: Response | undefined): Response | undefined {
    if (kind === 'live' || kind === 'draining') return answer;
    const { closing } = this.#access;
    if (closing.expired) throw closing.refusal(this.#id);
    throw new ConnectionError(
      'ACQUIRE_TIMEOUT',
      `Connection '${this.#id}' was disposed of while the webhook was authenticated again`,
      { connectionId: this.#id },
    );
  }

  async #identify(): Promise<Response | Found<R, I>> {
    const finding = this.#access.find(this.#id, () => this.#ended !== undefined);
    if (isThenable(finding)) this.#incoming.readAhead();
    const found = isThenable(finding) ? await this.#arrived(finding) : finding;
    this.found = found;
    const { slot, slot: { record, factory } } = found;
    const connectionId = this.#id;
    if (factory.handleWebhook === undefined) {
      throw new ConnectionError('NO_WEBHOOK_HANDLER', `The factory of connection '${connectionId}' has no handleWebhook`, {
        connectionId,
      });
    }
    await this.#incoming.read();
    if (typeof factory.authenticate !== 'function') return found;
    this.#throwIfEnded();
    const asking = this.#access.secrets.of(slot, (leave) => { this.#leaveSecretsQueue = leave; });
    this.#secrets = isThenable(asking) ? await this.#whileConnected(asking) : asking;
    this.#throwIfEnded();
    return await this.#verify(record, factory, this.#secrets) ?? found;
  }

  /** Waits for the row. If this has ended before it came, the row is let go. */
  async #arrived(finding: PromiseLike<Found<R, I>>): Promise<Found<R, I>> {
    this.#pendingRead = finding;
    try {
      const found = await this.#whileConnected(finding);
      this.#pendingRead = undefined;
      this.#throwIfEnded();
      return found;
    } catch (error) {
      // It may have been found in the same turn.
      finding.then((late) => late.letGo(), () => {});
      throw error;
    }
  }

  /** Lets the factory decide, and says nothing if it accepts the request. */
  async #verify(record: R, factory: InstanceFactory<R, I>, secrets: unknown): Promise<Response | undefined> {
    const { authenticate } = factory;
    if (typeof authenticate !== 'function') return undefined;
    let verdict: boolean | Response;
    try {
      const context = ownSignal({ record, secrets }, this);
      verdict = await this.#env.around(record, () => authenticate.call(factory, this.#incoming.copy(), context));
    } catch (cause) {
      throw new ConnectionError('UNAUTHENTICATED', 'authenticate threw', { connectionId: this.#id, cause });
    } finally {
      this.#forgetSender?.();
      this.#forgetSender = undefined;
    }
    if (isResponse(verdict)) return verdict;
    if (verdict !== true)
      throw new ConnectionError('UNAUTHENTICATED', 'authenticate refused the request', { connectionId: this.#id });
    return undefined;
  }

  /** The signal of `authenticate`. Aborts when this ends early. Listens to the sender only if it is asked for. */
  get signal(): AbortSignal {
    this.#forgetSender ??= this.#whenSenderGoes(() => {});
    this.#controller ??= new AbortController();
    if (this.#ended !== undefined) this.#controller.abort(this.#ended);
    return this.#controller.signal;
  }

  /** A deadline, because a vault or a slow sender may hang. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    const { clock, options: { acquireTimeoutMs: timeoutMs } } = this.#env;
    return within(clock, timeoutMs, work, () => {
      throw this.#end(
        new ConnectionError('ACQUIRE_TIMEOUT', `The webhook was not identified within ${timeoutMs} ms`, {
          connectionId: this.#id,
        }),
      );
    });
  }

  /** Waits for the store and the vault only as long as the sender waits for an answer. */
  #whileConnected<T>(work: PromiseLike<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const forget = this.#whenSenderGoes(reject);
      Promise.resolve(work).finally(forget).then(resolve, reject);
    });
  }

  #whenSenderGoes(callback: (error: ConnectionError) => void): () => void {
    const { signal } = this.#incoming;
    const end = (): void =>
      callback(this.#end(new ConnectionError('UNAUTHENTICATED', 'The sender has disconnected', { connectionId: this.#id })));
    if (signal.aborted) end();
    return whenAborted(signal, end);
  }

  #end(error: ConnectionError): ConnectionError {
    this.#ended ??= error;
    this.#incoming.stopReading();
    this.#leaveSecretsQueue?.();
    this.#controller?.abort(error);
    return error;
  }

  #throwIfEnded(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }
}
