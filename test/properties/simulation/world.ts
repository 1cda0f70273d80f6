import { SimulatedClock } from './clock.js';
import type { Creation, Demand, Hold, Instance, Moment, Read, SecretsCall } from './observed.js';
import type { Plans, Program, Settings } from './program.js';

export interface Violation { readonly guarantee: string; readonly what: string; readonly at: Moment }

const WELL_BEHAVED: Partial<Record<keyof Plans, string>> = { read: 'atAnswer', authenticate: 'yes', handler: 'text' };

/** Something that is waiting for the scheduler to settle it. */
export interface Pending {
  readonly kind:
    | 'read'
    | 'create'
    | 'dispose'
    | 'cleanUp'
    | 'secrets'
    | 'watch'
    | 'work'
    | 'authenticate'
    | 'handler'
    | 'body'
    | 'waitUntil'
    | 'client'
    | 'answer';
  readonly label: string;
  /** Stays unsettled until the program heals. */
  hung: boolean;
  /** Returns false when there is more of it to come. */
  settle(fail: boolean): boolean;
}

/**
 * Everything that can be seen from outside the registry, in one order of events. The fakes write it and the model
 * reads it; neither knows the registry's inside.
 */
export class World {
  readonly clock = new SimulatedClock();
  readonly pending: Pending[] = [];
  readonly violations: Violation[] = [];
  readonly reads: Read[] = [];
  readonly secretsCalls: SecretsCall[] = [];
  readonly creations: Creation[] = [];
  readonly instances: Instance[] = [];
  readonly demands: Demand[] = [];
  readonly holds: Hold[] = [];
  /** When `invalidate` was called, per id. */
  readonly invalidations = new Map<string, Moment[]>();
  /** The invalidations by a predicate, which no unknown id matches. */
  readonly byPredicate = new Set<Moment>();
  /** Hints and gaps that reached the registry; a gap has no id. */
  readonly hints: { readonly id: string | undefined; readonly at: Moment }[] = [];
  closed: { called: Moment; deadline: number; resolved?: Moment } | undefined;
  /** The last moment at which nothing was left to run. */
  quiet: Moment = { seq: 0, t: 0 };
  readonly #quiets: Moment[] = [];
  /** For how long the event loop was blocked in all: timers fired that much too late at most. */
  lag = 0;
  /** While it lasts every call behaves. */
  faultless = false;
  trace: string[] | undefined;
  readonly settings: Settings;
  readonly #plans: Plans;
  readonly #turns = new Map<keyof Plans, number>();
  #seq = 0;

  constructor(program: Program) {
    this.settings = program.settings;
    this.#plans = program.plans;
  }

  moment(): Moment {
    return { seq: ++this.#seq, t: this.clock.monotonic() };
  }

  note(what: string): Moment {
    const at = this.moment();
    this.trace?.push(`${at.seq} @${at.t} ${what}`);
    return at;
  }

  violate(guarantee: string, what: string): void {
    const at = this.note(`VIOLATION ${guarantee}: ${what}`);
    this.violations.push({ guarantee, what, at });
  }

  /** How the next call of this kind behaves. */
  next<K extends keyof Plans>(kind: K): Plans[K][number] {
    if (this.faultless) return (WELL_BEHAVED[kind] ?? 'later') as Plans[K][number];
    const turn = this.#turns.get(kind) ?? 0;
    this.#turns.set(kind, turn + 1);
    const plan = this.#plans[kind];
    return plan[turn % plan.length] as Plans[K][number];
  }

  /** Puts something on the agenda. */
  await(item: Pending): void {
    this.pending.push(item);
  }

  drop(item: Pending): void {
    const index = this.pending.indexOf(item);
    if (index >= 0) this.pending.splice(index, 1);
  }

  /** Settles the one that `pick` lands on among those that may settle and fit. */
  settle(pick: number, fail: boolean, fits: (item: Pending) => boolean = () => true): boolean {
    const ready = this.pending.filter((item) => !item.hung && fits(item));
    const item = ready[pick % ready.length];
    if (item === undefined) return false;
    this.note(`settle ${item.label}${fail ? ' badly' : ''}`);
    if (item.settle(fail)) this.drop(item);
    return true;
  }

  heal(): void {
    for (const item of this.pending) item.hung = false;
  }

  invalidatedSince(id: string, seq: number, until = Number.POSITIVE_INFINITY): boolean {
    return this.invalidations.get(id)?.some((at) => at.seq > seq && at.seq < until) ?? false;
  }

  /** Nothing is under way at this moment. */
  becomeQuiet(): void {
    this.quiet = this.moment();
    this.#quiets.push(this.quiet);
  }

  /** When everything that was under way at `moment` was done. Infinity while it may still be under way. */
  nextQuiet({ seq }: Moment): Moment {
    return this.#quiets.find((quiet) => quiet.seq > seq) ?? { seq: Number.POSITIVE_INFINITY, t: Number.POSITIVE_INFINITY };
  }

  /** Events in order: whether `moment` lies before the last point at which nothing was left to run. */
  isPast(moment: Moment | undefined): boolean {
    return moment !== undefined && moment.seq < this.quiet.seq;
  }
}

/** A promise with its ends outside. */
export function outside<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => { resolve = yes; reject = no; });
  return { promise, resolve, reject };
}
