import type { ConnectionRecord } from '../contracts/record.js';
import { isConnectionError } from '../errors.js';
import { Attempt, type Outcome } from './attempt.js';
import type { Claim, Offer } from './claims/contract.js';
import type { TenureEnd } from './events.js';
import { StartFailures } from './failures.js';
import type { Hold } from './hold.js';
import type { HoldingHost } from './holding-host.js';
import { FINALITY, isFinal, reasonOf, type Ending, type HoldingState } from './holding-state.js';
import { formatNotes, parseNotes } from './notes.js';

/** One claimed connection; its state machine is drawn in `holding-state.ts`. */
export class Holding<R extends ConnectionRecord, I> {
  readonly id: string;
  readonly hold: Hold;
  readonly #claimedAt: number;
  readonly #host: HoldingHost<R, I>;
  readonly #failures: StartFailures;
  #state: HoldingState<R, I>;
  #provisioned: string | undefined;
  /** Notes that the store does not have yet. */
  #unsaved: string | undefined;
  #listed: string | undefined;
  /** What the listing said when the attempt began: only what differs from it is news. */
  #listedAtStart: string | undefined;
  /** The record's version, as of the last attempt that got so far. */
  #version: string | undefined;
  /** Since when `run` has been serving, on the monotonic clock. */
  #servingSince: number | undefined;
  #begun = false;

  /** @param listed - the version the listing says the record has, if it says */
  constructor(claim: Claim, hold: Hold, listed: string | undefined, host: HoldingHost<R, I>) {
    const { failed, provisioned } = parseNotes(claim.notes);
    this.id = claim.id;
    this.hold = hold;
    this.#host = host;
    this.#claimedAt = host.clock.monotonic();
    this.#listed = listed;
    this.#provisioned = provisioned;
    this.#failures = new StartFailures(failed, host.limits.startBackoff, host.random);
    // Somebody else's failures with this version are this replica's too: a hand-over never shortens the back-off.
    const delayMs = this.#failures.inheritedDelayMs(listed);
    this.#state = delayMs > 0 ? this.#waiting(delayMs) : this.#queued();
  }

  get state(): HoldingState<R, I>['kind'] | 'serving' {
    return this.#state.kind === 'working' && this.#servingSince !== undefined ? 'serving' : this.#state.kind;
  }

  get version(): string | undefined {
    return this.#version;
  }

  get failures(): number {
    return this.#failures.failed?.count ?? 0;
  }

  /** Whether it counts towards this replica's share. */
  get counts(): boolean {
    const state = this.#state;
    return state.kind === 'stopping' ? !isFinal(state.ending) : state.kind !== 'stuck' && state.kind !== 'settled';
  }

  /** What has settled holds no more. */
  get renewable(): boolean {
    return this.#state.kind !== 'stuck' && this.hold.held;
  }

  /** Whether the claim is to be released: nothing of the holding goes on, and it was not lost. `undefined`: not yet. */
  get release(): { readonly notes: string | undefined; readonly offer: Offer | undefined } | 'none' | undefined {
    if (this.#state.kind !== 'settled') return undefined;
    const { ending } = this.#state;
    return ending.kind === 'lost' ? 'none' : { notes: this.#unsaved, offer: ending.kind === 'release' ? ending.offer : undefined };
  }

  /** What it costs to hand this one over, lower is cheaper; `undefined` while it is not to be moved. */
  moveCost(coolDownMs: number): number | undefined {
    const { kind } = this.#state;
    if (!this.#begun && kind === 'queued') return 0;
    if (this.#host.clock.monotonic() - this.#claimedAt < coolDownMs) return undefined;
    return kind === 'waiting' ? 1 : kind === 'queued' || kind === 'working' ? 2 : undefined;
  }

  get unsavedNotes(): string | undefined {
    return this.#unsaved;
  }

  /** The store has `notes` now. */
  notesSaved(notes: string): void {
    if (notes === this.#unsaved) this.#unsaved = undefined;
  }

  /** The listing says that the record has this version. */
  listed(version: string | undefined): void {
    const before = this.#listed;
    this.#listed = version;
    if (this.#state.kind !== 'waiting') return this.#checkEdited();
    if (version === undefined || version === before || version === this.#failures.failed?.version) return;
    this.#state.cancel();
    this.#state = this.#queued();
  }

  /** What time alone may have brought: an edit that the registry heard of, an instance that died, a start that held. */
  check(): void {
    this.#forgetFailuresIfStable();
    if (this.#state.kind === 'working' && this.#state.attempt.stale) this.#end({ kind: 'restart' });
  }

  /** Stops, then gives the claim up. */
  giveUp(reason: TenureEnd, offer?: Offer): void {
    this.#end({ kind: 'release', reason, offer });
  }

  /** The store says that the claim is not this replica's any more. */
  lose(): void {
    this.hold.end();
    this.#end({ kind: 'lost' });
  }

  /** The local deadline has passed. */
  expire(): void {
    this.hold.end();
    this.#end({ kind: 'expired' });
  }

  #queued(): HoldingState<R, I> {
    return { kind: 'queued', leave: this.#host.gate.enter(() => this.#begin()) };
  }

  #waiting(delayMs: number): HoldingState<R, I> {
    return { kind: 'waiting', cancel: this.#host.clock.setTimeout(() => { this.#state = this.#queued(); }, delayMs, { ref: true }) };
  }

  #begin(): void {
    const { clock, registry, duties, gate, limits } = this.#host;
    const about = { id: this.id, token: this.hold.token };
    this.#listedAtStart = this.#listed;
    this.#version = undefined;
    this.#begun = true;
    const attempt = new Attempt<R, I>({
      id: this.id, hold: this.hold, clock, registry, duties,
      provisionTimeoutMs: limits.provisionTimeoutMs,
      provisioned: this.#provisioned,
      hydrated: (version) => {
        this.#version = version;
        this.#checkEdited();
      },
      provisionedNow: (version) => {
        this.#provisioned = version;
        this.#note();
        this.#host.emit('provisioned', { ...about, version });
      },
      provisionOverdue: () => this.#end({ kind: 'retry', error: new Error(`provision has not settled within ${limits.provisionTimeoutMs} ms`) }),
      started: (version) => {
        this.#servingSince = clock.monotonic();
        this.#host.emit('started', { ...about, version });
      },
      through: () => gate.leave(),
      expired: () => this.expire(),
    });
    this.#state = { kind: 'working', attempt };
    void attempt.settled.then((outcome) => this.#settled(outcome));
  }

  #checkEdited(): void {
    if (this.#state.kind !== 'working' || this.#version === undefined || this.#listed === undefined) return;
    if (this.#listed !== this.#version && this.#listed !== this.#listedAtStart) this.#end({ kind: 'restart' });
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
        const cancel = this.#host.clock.setTimeout(() => this.#giveUpWaiting(), this.#host.limits.stopTimeoutMs, { ref: true });
        this.#state = { kind: 'stopping', attempt, ending, cancel };
        return attempt.end(reasonOf(ending, this.id));
      }
      case 'stopping':
      case 'stuck':
        if (FINALITY[ending.kind] > FINALITY[state.ending.kind]) this.#state = { ...state, ending };
    }
  }

  #giveUpWaiting(): void {
    if (this.#state.kind !== 'stopping') return;
    const { attempt, ending } = this.#state;
    this.#state = { kind: 'stuck', attempt, ending };
    this.#host.emit('stopUnproven', { id: this.id, token: this.hold.token });
    this.#host.over(this);
  }

  /** The attempt has settled: the one place that decides what follows. */
  #settled(outcome: Outcome): void {
    const state = this.#state;
    this.#forgetFailuresIfStable();
    this.#servingSince = undefined;
    if (state.kind === 'working') return this.#failed(outcome.error ?? new Error('run has ended before its signal aborted'), outcome);
    if (state.kind === 'stopping') {
      state.cancel();
      return state.ending.kind === 'retry' ? this.#failed(state.ending.error, outcome) : this.#finish(state.ending);
    }
    // It was not renewed while it was stuck: too late to go on with this claim.
    if (state.kind === 'stuck') this.#finish(isFinal(state.ending) ? state.ending : { kind: 'release', reason: 'failed' });
  }

  #failed(error: unknown, { version = this.#listed }: Outcome): void {
    const { limits, replica } = this.#host;
    const { counted, delayMs } = this.#failures.note(error, version);
    const handedOver = counted && this.failures % limits.handOverAfterFailures === 0 && this.#host.othersLive();
    if (counted) {
      this.#note();
      this.#host.emit('startFailed', { id: this.id, version, error, failures: this.failures, retryAfterMs: delayMs, handedOver });
    }
    if (handedOver) this.#finish({ kind: 'release', reason: 'failed', offer: { notTo: replica, forMs: limits.ttlMs } });
    else this.#state = this.#waiting(delayMs);
    if (isConnectionError(error, 'REGISTRY_CLOSED')) this.#host.registryClosed();
  }

  /** Else the next owner would inherit a back-off for what has long been well. */
  #forgetFailuresIfStable(): void {
    if (this.failures === 0 || this.#servingSince === undefined) return;
    if (this.#host.clock.monotonic() - this.#servingSince < this.#host.limits.stableAfterMs) return;
    this.#failures.failed = undefined;
    this.#note();
  }

  #note(): void {
    this.#unsaved = formatNotes({ provisioned: this.#provisioned, failed: this.#failures.failed });
  }

  #finish(ending: Ending): void {
    if (!isFinal(ending)) {
      this.#state = this.#queued();
      return;
    }
    this.hold.end();
    this.#state = { kind: 'settled', ending };
    if (this.#begun) this.#host.emit('ended', { id: this.id, token: this.hold.token, reason: ending.kind === 'release' ? ending.reason : ending.kind as 'lost' | 'expired' });
    this.#host.over(this);
  }
}
