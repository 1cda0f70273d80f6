import type { ConnectionRecord } from '../contracts/record.js';
import { isConnectionError } from '../errors.js';
import { Attempt, type Outcome } from './attempt.js';
import { ClaimNotes } from './claim-notes.js';
import type { Claim, Offer } from './claims/contract.js';
import { Edits } from './edits.js';
import type { RunnerEnvironment } from './environment.js';
import type { TenureEnd } from './events.js';
import { StartFailures } from './failures.js';
import { FINALITY, isFinal, reasonOf, type Ending, type HoldingState } from './holding-state.js';
import type { Instant, Validity } from './validity.js';

/** Called by a holding when its state changes. */
export interface HoldingOwner<R extends ConnectionRecord, I> {
  /** A holding began (1) or ceased (-1) to count towards this replica's share. */
  countChanged(difference: number): void;
  /** The holding is settled, or stuck. */
  over(holding: Holding<R, I>): void;
  /** The registry has closed, so this replica cannot serve anything any more. */
  registryClosed(): void;
}

/** One claimed connection. Its state machine is drawn in `holding-state.ts`. */
export class Holding<R extends ConnectionRecord, I> {
  readonly id: string;
  readonly validity: Validity;
  readonly notes: ClaimNotes;
  readonly #environment: RunnerEnvironment<R, I>;
  readonly #owner: HoldingOwner<R, I>;
  readonly #claimedAt: number;
  readonly #failures: StartFailures;
  readonly #edits: Edits;
  #state: HoldingState<R, I>;
  #begun = false;

  /** @param listed - the record's version according to the listing, if it has one */
  constructor(
    environment: RunnerEnvironment<R, I>,
    claim: Claim,
    validity: Validity,
    listed: string | undefined,
    owner: HoldingOwner<R, I>,
  ) {
    const { clock, options } = environment;
    this.id = claim.id;
    this.validity = validity;
    this.notes = new ClaimNotes(claim.notes);
    this.#environment = environment;
    this.#owner = owner;
    this.#claimedAt = clock.monotonic();
    this.#edits = new Edits(listed);
    this.#failures = new StartFailures(this.notes, options.startBackoff);
    // Other replicas' failures with this version count here too: a hand-over never shortens the back-off.
    const delayMs = this.#failures.inheritedDelayMs(listed);
    this.#state = delayMs > 0 ? this.#waiting(delayMs) : this.#queued();
  }

  get state(): HoldingState<R, I>['kind'] | 'serving' {
    return this.#state.kind === 'working' && this.#failures.servingSince !== undefined ? 'serving' : this.#state.kind;
  }

  get version(): string | undefined {
    return this.#edits.hydrated;
  }

  get failures(): number {
    return this.#failures.count;
  }

  /** Whether it counts towards this replica's share. */
  get counts(): boolean {
    const state = this.#state;
    return state.kind === 'stopping' ? !isFinal(state.ending) : state.kind !== 'stuck' && state.kind !== 'settled';
  }

  /** Whether its claim may be renewed. */
  renewableAt(now: Instant): boolean {
    return this.#state.kind !== 'stuck' && !this.validity.ended && this.validity.remainingMsAt(now) > 0;
  }

  /** How to release the claim: `undefined` until nothing of the holding is left, and `'none'` if the claim was lost. */
  get releaseWith(): { readonly notes: string | undefined; readonly offer: Offer | undefined } | 'none' | undefined {
    if (this.#state.kind !== 'settled') return undefined;
    const { ending } = this.#state;
    return ending.kind === 'lost'
      ? 'none'
      : { notes: this.notes.unsaved, offer: ending.kind === 'release' ? ending.offer?.() : undefined };
  }

  /** The cost of handing this connection over; lower is cheaper. `undefined` while it must not move. */
  moveCost(coolDownMs: number): number | undefined {
    const { kind } = this.#state;
    if (!this.#begun && kind === 'queued') return 0;
    if (this.#environment.clock.monotonic() - this.#claimedAt < coolDownMs) return undefined;
    return kind === 'waiting' ? 1 : kind === 'queued' || kind === 'working' ? 2 : undefined;
  }

  /** A new listing has this version of the record. */
  relisted(version: string | undefined): void {
    const before = this.#edits.listed;
    this.#edits.listed = version;
    if (this.#state.kind !== 'waiting') return this.#checkEdited();
    if (version === undefined || version === before || version === this.#failures.version) return;
    this.#state.cancel();
    this.#enter(this.#queued());
  }

  /** Called at every tick. Notices an instance that the registry knows to be edited or dead, and forgives failures. */
  check(): void {
    // If this process is killed, its successor reads how many failures are left in the notes.
    this.#failures.forgive(this.#environment.clock.monotonic());
    if (this.#state.kind === 'working' && this.#state.attempt.stale) this.#end({ kind: 'restart' });
  }

  /** Stops the attempt, then releases the claim, with what `offer` returns when nothing of the attempt is left. */
  giveUp(reason: TenureEnd, offer?: () => Offer | undefined): void {
    this.#end({ kind: 'release', reason, offer });
  }

  /** The store says that the claim is no longer this replica's. */
  lose(): void {
    this.validity.end();
    this.#end({ kind: 'lost' });
  }

  /** The local deadline has passed. */
  expire(): void {
    this.validity.end();
    this.#end({ kind: 'expired' });
  }

  #enter(state: HoldingState<R, I>): void {
    const counted = this.counts;
    this.#state = state;
    if (this.counts !== counted) this.#owner.countChanged(counted ? -1 : 1);
  }

  #queued(): HoldingState<R, I> {
    return { kind: 'queued', leave: this.#environment.queueStart((startDone) => this.#begin(startDone)) };
  }

  #waiting(delayMs: number): HoldingState<R, I> {
    return {
      kind: 'waiting',
      cancel: this.#environment.clock.setTimeout(() => this.#enter(this.#queued()), delayMs, { ref: true }),
    };
  }

  #begin(startDone: () => void): void {
    const { clock, options } = this.#environment;
    const about = { id: this.id, token: this.validity.token };
    this.#edits.begin();
    this.#begun = true;
    const attempt = new Attempt<R, I>(this.#environment, this, {
      startDone,
      hydrated: (version) => {
        this.#edits.hydrated = version;
        this.#checkEdited();
      },
      provisioned: (version) => {
        this.notes.provisioned = version;
        this.#environment.emit('provisioned', { ...about, version });
      },
      provisionOverdue: () =>
        this.#end({ kind: 'retry', error: new Error(`provision has not settled within ${options.provisionTimeoutMs} ms`) }),
      started: (version) => {
        this.#failures.servingSince = clock.monotonic();
        this.#environment.emit('started', { ...about, version });
      },
      expired: () => this.expire(),
    });
    this.#enter({ kind: 'working', attempt });
    void attempt.settled.then((outcome) => this.#settled(outcome));
  }

  #checkEdited(): void {
    if (this.#state.kind === 'working' && this.#edits.edited) this.#end({ kind: 'restart' });
  }

  #end(ending: Ending): void {
    const state = this.#state;
    switch (state.kind) {
      case 'queued':
        state.leave();
        return this.#finish(ending);
      case 'waiting':
        state.cancel();
        return this.#finish(ending);
      case 'working': {
        const { attempt } = state;
        const { clock, options } = this.#environment;
        const cancel = clock.setTimeout(() => this.#becomeStuck(), options.stopTimeoutMs, { ref: true });
        this.#enter({ kind: 'stopping', attempt, ending, cancel });
        return attempt.end(reasonOf(ending, this.id));
      }
      case 'stopping':
      case 'stuck':
        if (FINALITY[ending.kind] > FINALITY[state.ending.kind]) this.#enter({ ...state, ending });
    }
  }

  #becomeStuck(): void {
    if (this.#state.kind !== 'stopping') return;
    const { attempt, ending } = this.#state;
    this.#enter({ kind: 'stuck', attempt, ending });
    this.#environment.emit('stopUnproven', { id: this.id, token: this.validity.token });
    this.#owner.over(this);
  }

  /** The attempt has settled. This is the one place that decides what follows. */
  #settled(outcome: Outcome): void {
    const state = this.#state;
    this.#failures.forgive(this.#environment.clock.monotonic());
    this.#failures.servingSince = undefined;
    if (state.kind === 'working')
      return this.#failed(outcome.error ?? new Error('run has ended before its signal aborted'), outcome);
    if (state.kind === 'stopping') {
      state.cancel();
      return state.ending.kind === 'retry' ? this.#failed(state.ending.error, outcome) : this.#finish(state.ending);
    }
    // A stuck holding was not renewed, so it is too late to go on with this claim.
    if (state.kind === 'stuck') this.#finish(isFinal(state.ending) ? state.ending : { kind: 'release', reason: 'failed' });
  }

  #failed(error: unknown, { version = this.#edits.listed }: Outcome): void {
    const { replica, roster, options } = this.#environment;
    const { counted, delayMs } = this.#failures.note(error, version);
    const handedOver = counted && this.failures % options.handOverAfterFailures === 0 && roster.othersLive;
    const { id, failures } = this;
    if (counted) this.#environment.emit('startFailed', { id, version, error, failures, retryAfterMs: delayMs, handedOver });
    if (handedOver) this.#finish({ kind: 'release', reason: 'failed', offer: () => ({ notTo: replica, forMs: options.ttlMs }) });
    else this.#enter(this.#waiting(delayMs));
    if (isConnectionError(error, 'REGISTRY_CLOSED')) this.#owner.registryClosed();
  }

  #finish(ending: Ending): void {
    if (!isFinal(ending)) return this.#enter(this.#queued());
    this.validity.end();
    this.#enter({ kind: 'settled', ending });
    const reason = ending.kind === 'release' ? ending.reason : (ending.kind as 'lost' | 'expired');
    if (this.#begun) this.#environment.emit('ended', { id: this.id, token: this.validity.token, reason });
    this.#owner.over(this);
  }
}
