import type { DisposeReason, HydrationContext } from '../../contracts/factory.js';
import type { ConnectionRecord } from '../../contracts/record.js';
import { inTime, type FactoryUnderTest } from './harness.js';

/** One instance from its start to its end, as a registry leads it. */
export class Life<R extends ConnectionRecord, I> {
  readonly retired: unknown[] = [];
  readonly #subject: FactoryUnderTest<R, I>;
  readonly #record: R;
  readonly #timeoutMs: number;
  readonly #abort = new AbortController();
  readonly #superseded = new AbortController();
  readonly #cleanUps: (() => unknown)[] = [];
  #instance: { readonly value: I } | undefined;

  constructor(subject: FactoryUnderTest<R, I>, timeoutMs: number, record: R = subject.record) {
    this.#subject = subject;
    this.#timeoutMs = timeoutMs;
    this.#record = record;
  }

  get instance(): I {
    return this.#instance!.value;
  }

  start(): Promise<this> {
    return inTime('a start', this.#timeoutMs, this.#start());
  }

  async #start(): Promise<this> {
    const { factory } = this.#subject;
    try {
      // Without secrets, `create` is called at once, so that a test can end the start in the middle.
      const secrets = factory.secrets && await factory.secrets(this.#record, { signal: this.#abort.signal });
      const context: HydrationContext<any> & { readonly superseded: AbortSignal } = {
        signal: this.#abort.signal,
        superseded: this.#superseded.signal,
        secrets,
        retire: (cause) => { this.retired.push(cause); },
        onDispose: (cleanUp) => { this.#cleanUps.push(cleanUp); },
      };
      this.#instance = { value: await factory.create(this.#record, context) };
      return this;
    } catch (error) {
      await this.#cleanUp();
      throw error;
    }
  }

  /** Aborts the start: no caller waits for it any more. */
  giveUp(): void {
    this.#abort.abort(new Error('no caller waits for this start'));
  }

  /** It has been replaced or stopped, and may still be in use. */
  supersede(): void {
    this.#superseded.abort();
  }

  end(reason: DisposeReason = 'evicted'): Promise<void> {
    return inTime('dispose', this.#timeoutMs, this.#end(reason));
  }

  async #end(reason: DisposeReason): Promise<void> {
    this.supersede();
    if (this.#instance === undefined) return;
    await this.#subject.factory.dispose?.(this.#instance.value, { record: this.#record, reason });
    await this.#cleanUp();
  }

  async #cleanUp(): Promise<void> {
    for (let next = this.#cleanUps.pop(); next !== undefined; next = this.#cleanUps.pop()) await next();
  }
}
