import { onMicrotask, onNextTurn } from './clock.js';
import type { ConnectionRecord } from './contracts/record.js';
import type { Environment } from './environment.js';
import { ConnectionError } from './errors.js';
import type { Reader } from './reads/reader.js';
import type { Hydrator } from './hydrate/hydrator.js';
import type { Revalidation } from './reads/revalidation.js';
import { checkCall, resolveDrainTimeout } from './options.js';
import { isHydrating, type Slot } from './slot/state.js';
import { withFallback } from './slot/fallback.js';
import type { Slots } from './slot/slots.js';
import { within } from './within.js';

/** The instances that `close` disposed of in use, and the hydrates that did not settle (0 leases). */
export interface CloseReport {
  readonly abandoned: readonly { readonly id: string; readonly leases: number }[];
}

/** Slots checked in one turn of the event loop. A hundred thousand at once would block everything else. */
const BATCH = 500;

/** Counts what was accepted, and brings the registry from open over closing to closed. */
export class Closing<R extends ConnectionRecord, I> {
  state: 'open' | 'closing' | 'closed' = 'open';
  /** The deadline has passed: what was accepted is refused after all. */
  expired = false;
  readonly #env: Environment<R, I>;
  readonly #slots: Slots<R, I>;
  readonly #hydrator: Hydrator<R, I>;
  readonly #reader: Reader<R>;
  readonly #revalidation: Revalidation<R>;
  /** Uses that wait for their lease, and webhooks that have not ended. */
  #accepted = 0;
  #closed: Promise<CloseReport> | undefined;
  /** Called when something ended: there may be nothing left to wait for. */
  #wake: (() => void) | undefined;

  constructor(
    env: Environment<R, I>,
    slots: Slots<R, I>,
    hydrator: Hydrator<R, I>,
    reader: Reader<R>,
    revalidation: Revalidation<R>,
  ) {
    this.#env = env;
    this.#slots = slots;
    this.#hydrator = hydrator;
    this.#reader = reader;
    this.#revalidation = revalidation;
    slots.ending.onDisposed = () => this.#wake?.();
  }

  /** A use begins to wait. */
  began(): void {
    this.#accepted += 1;
  }

  /** Called when something that had begun has ended. */
  finished(): void {
    this.#accepted -= 1;
    if (this.state === 'open') return;
    // No use is left that could need an idle instance. Instances that become idle from now on end by themselves.
    if (this.#accepted === 0) onMicrotask(() => void this.#disposeIdle());
    this.#wake?.();
  }

  /** Admits a webhook. Returns the function to call when it has ended, or `undefined` if the registry closes. */
  accept(): (() => void) | undefined {
    if (this.state !== 'open') return undefined;
    this.began();
    return () => this.finished();
  }

  refusal(id: string): ConnectionError {
    return new ConnectionError('REGISTRY_CLOSED', 'The registry is closing: use another replica', { connectionId: id });
  }

  close(options: { drainTimeoutMs?: number }): Promise<CloseReport> {
    if (this.#closed !== undefined) return this.#closed;
    try {
      checkCall('close', options);
      const { drainTimeoutMs } = options;
      const timeoutMs = drainTimeoutMs === undefined ? 20_000 : resolveDrainTimeout(drainTimeoutMs);
      // The promise exists first, because the first dispose may itself call `close`.
      let begun!: (report: Promise<CloseReport>) => void;
      this.#closed = new Promise((resolve) => {
        begun = resolve;
      });
      begun(this.#close(timeoutMs));
      return this.#closed;
    } catch (error) {
      return Promise.reject(error as ConnectionError);
    }
  }

  async #close(drainTimeoutMs: number): Promise<CloseReport> {
    const {
      clock,
      options: { disposeTimeoutMs },
    } = this.#env;
    const slots = this.#slots;
    const reader = this.#reader;
    this.state = 'closing';
    this.#env.maxStaleMs = -Infinity;
    slots.close((id) => reader.isAwaited(id));
    slots.supersessionSignals.close(this.#all().flatMap((slot) => withFallback(slot)));
    reader.stopBackground();
    const stopped = within<unknown>(clock, disposeTimeoutMs, this.#revalidation.stop(), () => undefined);
    void this.#disposeIdle();
    const drained = this.#when(() => this.#accepted === 0 && slots.isEmpty).then(() => slots.disposedInUse);
    const abandoned = await within<CloseReport['abandoned']>(clock, drainTimeoutMs, drained, () => this.#abandon());
    // One deadline for all, because a create that settles late begins another dispose, and the process must end.
    const gone = Promise.all([this.#when(() => slots.ending.disposing === 0), stopped]);
    await within<unknown>(clock, disposeTimeoutMs, gone, () => undefined);
    this.state = 'closed';
    return { abandoned };
  }

  /** Idle instances that no use waits for. */
  async #disposeIdle(): Promise<void> {
    const slots = this.#slots;
    let looked = 0;
    for (const slot of slots.index.values()) {
      if (slot.state.kind === 'live' && slot.leases === 0 && !this.#reader.isAwaited(slot.id)) slots.supersede(slot, 'closing');
      looked += 1;
      if (looked % BATCH > 0) continue;
      this.#env.effects.flush();
      await new Promise<void>(onNextTurn);
    }
    this.#env.effects.flush();
  }

  /** The deadline has passed. */
  #abandon(): { id: string; leases: number }[] {
    const slots = this.#slots;
    this.expired = true;
    const hydrating = this.#all().filter(({ state }) => isHydrating(state) || state.kind === 'abandoned');
    const waiters = [...this.#reader.waiters()];
    for (const [id, waiter] of waiters) if (!waiter.settled) waiter.fail(this.refusal(id));
    for (const slot of this.#all()) this.#hydrator.close(slot, this.refusal(slot.id));
    const abandoned = hydrating.map(({ id, leases }) => ({ id, leases }));
    // Only now, because a hydrate that is given up gives back the last good instance that it held.
    slots.expireAll();
    this.#env.effects.flush();
    return [...slots.disposedInUse, ...abandoned];
  }

  #all(): Slot<R, I>[] {
    return [...this.#slots.index.values(), ...this.#slots.departing.all()];
  }

  /** Resolves as soon as `condition` holds. */
  #when(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (condition()) resolve();
      };
      this.#wake();
    });
  }
}
