import type { ConnectionError, DisposeReason, RegistryEvents } from 'hydrant';
import { inTime, deadlinePassed, invalidatedAreGone, reasonHolds } from './checks/disposing.js';
import { closedInTime, nobodyWaits, nothingIsLeft } from './checks/ending.js';
import {
  abandonedReadsCount,
  abortIsDue,
  backsOff,
  builtFromItsRow,
  drainFirst,
  oneReadPerId,
  secretsAreKept,
  singleFlight,
  withinPermits,
} from './checks/hydrating.js';
import { noneTooMany } from './checks/places.js';
import { isDue } from './checks/refusing.js';
import {
  everyWaitHasACause,
  noSupersededIdle,
  noZombies,
  staleIsTrue,
  supersededIsTrue,
  withinMaxInstances,
} from './checks/resting.js';
import { isFresh, notDisposed, notSuperseded, stamped } from './checks/serving.js';
import { createIsOwed, unknownIsRemembered } from './checks/webhooks.js';
import type { Creation, Demand, Hold, Instance, Moment, Read, SecretsCall } from './observed.js';
import { knownLeases } from './queries.js';
import type { World } from './world.js';

/**
 * A hydrate that failed, as its event told, or an instance that was reported dead: that counts as a failure too, but
 * its event does not tell for how long, so `retryAfterMs` is the longest that it may be.
 */
export interface Failure {
  readonly id: string;
  readonly version: string;
  readonly error: unknown;
  readonly retryAfterMs: number;
  readonly exact: boolean;
  /** The secrets failed for senders who were not authenticated. It holds back webhooks only. */
  readonly strangers: boolean;
  readonly at: Moment;
}

/** A failure of a webhook, as its event told. `of` is known where `respondToFailure` was told as well. */
export interface WebhookFailure { readonly id: string; readonly error: ConnectionError; readonly at: Moment; of?: Demand }

/**
 * The independent model: it hears what store, factory, callers and listeners see, and says what the guarantees make of
 * it. Each check names the guarantee it is a precise form of.
 */
export class Model {
  readonly failures: Failure[] = [];
  /** Failures that have not been seen in an answer yet. */
  readonly webhookFailures: WebhookFailure[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  readSent(read: Read): void {
    oneReadPerId(this.#world, read);
    abandonedReadsCount(this.#world, read);
  }

  secretsBegan(call: SecretsCall): void {
    secretsAreKept(this.#world, call);
  }

  createBegan(creation: Creation): void {
    singleFlight(this.#world, creation);
    drainFirst(this.#world, creation);
    withinPermits(this.#world, creation);
    builtFromItsRow(this.#world, creation);
    backsOff(this.#world, creation, this.failures);
    createIsOwed(this.#world, creation);
    if (this.#world.closed?.resolved !== undefined)
      this.#world.violate('G12', `create ${creation.n} began after close had resolved`);
  }

  createAborted(creation: Creation): void {
    abortIsDue(this.#world, creation);
  }

  entitled(hold: Hold): void {
    notDisposed(this.#world, hold);
    stamped(this.#world, hold);
    isFresh(this.#world, hold, this.failures);
    notSuperseded(this.#world, hold);
    if (this.#world.closed !== undefined && this.#world.closed.called.seq < hold.demand.began.seq) {
      this.#world.violate('G12', `${hold.demand.kind} ${hold.demand.n} came after close and was served`);
    }
  }

  leaseAborted(hold: Hold): void {
    if (!hold.released && !deadlinePassed(this.#world, hold)) {
      this.#world.violate('G2', `the signal of ${hold.demand.kind} ${hold.demand.n} aborted before its drain deadline`);
    }
  }

  refused(demand: Demand, error: unknown): void {
    isDue(this.#world, demand, error, this.failures);
  }

  /** `reason` is undefined where the factory has no dispose and a clean-up tells. */
  disposeBegan(instance: Instance, reason: DisposeReason | undefined): void {
    instance.disposeBegan ??= this.#world.moment();
    inTime(this.#world, instance);
    if (reason !== undefined) reasonHolds(this.#world, instance, reason);
  }

  told<E extends keyof RegistryEvents>(event: E, payload: RegistryEvents[E]): void {
    const world = this.#world;
    const at = world.note(
      `event ${event} ${'id' in payload ? payload.id : ''} ${'version' in payload ? `v${payload.version}` : ''}`,
    );
    if (event === 'hydrationFailed') {
      const { id, version, error, retryAfterMs } = payload as RegistryEvents['hydrationFailed'];
      const claimed = (error.cause as { retryable?: boolean } | undefined)?.retryable === false;
      if (claimed && error.retryable) world.violate('G6', `what failed for good of ${id} v${version} is told to be retryable`);
      const forGood = retryAfterMs === Number.POSITIVE_INFINITY;
      if (forGood ? error.retryable : retryAfterMs > world.settings.backoffMaxMs || retryAfterMs < 0)
        world.violate('G6', `a back-off of ${retryAfterMs} ms`);
      const strangers = !forGood && error.message.startsWith('The secrets of');
      this.failures.push({ id, version, error, retryAfterMs, exact: true, strangers, at });
    } else if (event === 'webhookFailed') {
      const { id, error, acknowledged } = payload as RegistryEvents['webhookFailed'];
      if (!acknowledged) this.webhookFailures.push({ id, error, at });
    } else if (event === 'retired') {
      const { id, version, cause } = payload as RegistryEvents['retired'];
      this.failures.push({
        id,
        version,
        error: cause,
        retryAfterMs: world.settings.backoffMaxMs,
        exact: false,
        strangers: false,
        at,
      });
    } else if (event === 'disposed') {
      const { id, version, abandonedLeases } = payload as RegistryEvents['disposed'];
      const most = Math.max(0, ...world.instances.filter((instance) => instance.id === id && instance.version === version)
        .map((instance) => knownLeases(world, instance)));
      if (abandonedLeases > most)
        world.violate('G2', `disposed of ${id} v${version} abandoning ${abandonedLeases} leases, of which ${most} exist`);
    }
  }

  /** Called after every step and before time passes. */
  looked(): void {
    for (const hold of this.#world.holds) {
      if (!hold.released && hold.staleSince === undefined && hold.lease?.stale === true) hold.staleSince = this.#world.moment();
    }
  }

  /** Called when nothing is left to run. */
  resting(): void {
    const world = this.#world;
    this.looked();
    staleIsTrue(world);
    supersededIsTrue(world);
    withinMaxInstances(world);
    noSupersededIdle(world);
    everyWaitHasACause(world);
    unknownIsRemembered(world);
    noneTooMany(world);
    nobodyWaits(world);
  }

  /** Called when the store has answered everything for longer than a sweep takes. */
  swept(current: (id: string) => { status: string } | undefined): void {
    noZombies(this.#world, current);
  }

  invalidateResolved(id: string, at: Moment): void {
    invalidatedAreGone(this.#world, id, at);
  }

  closeResolved(report: { abandoned: readonly { id: string; leases: number }[] }): void {
    closedInTime(this.#world, report);
  }

  ended(): void {
    nothingIsLeft(this.#world);
  }
}
