import { randomFrom } from './random.js';
import type { Model } from './model.js';
import type { World } from './world.js';

/** The real functions, also while a run replaces them. */
const realImmediate = setImmediate;
const realRandom = Math.random;

/** Ticks run when the queue of microtasks is empty: this waits for all of them and costs no turn of the event loop. */
const microtasksDone = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** Real streams need real turns; two let everything that is ready through. */
const turnsDone = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => realImmediate(resolve));
};

const MOST_ROUNDS = 5_000;

/**
 * How far promises and timers get between two steps. While a run lasts, turns of the event loop that the registry asks
 * for and chance are the run's own, so that the same program takes the same course.
 */
export class Flow {
  readonly #world: World;
  readonly #model: Model;
  readonly #turns: (() => void)[] = [];
  /** Real streams are under way. */
  streaming = false;

  readonly #stackTraceLimit = Error.stackTraceLimit;

  constructor(world: World, model: Model, seed: number) {
    this.#world = world;
    this.#model = model;
    // Stacks cost more than all the rest; they are wanted only where somebody is going to read them.
    if (world.trace === undefined) Error.stackTraceLimit = 0;
    const random = randomFrom(seed ^ 0x2545f491);
    Math.random = random.next;
    globalThis.setImmediate = ((callback: (...args: unknown[]) => void, ...args: unknown[]) => {
      this.#turns.push(() => callback(...args));
      return {};
    }) as unknown as typeof setImmediate;
  }

  restore(): void {
    Error.stackTraceLimit = this.#stackTraceLimit;
    Math.random = realRandom;
    globalThis.setImmediate = realImmediate;
    for (const turn of this.#turns.splice(0)) realImmediate(turn);
  }

  /** Lets every promise get so many hops further. */
  async hop(hops: number): Promise<void> {
    for (let hop = 0; hop < hops; hop++) await undefined;
  }

  /** Lets everything run that can without time passing, then asks the model. */
  async rest(): Promise<void> {
    for (let round = 0; ; round++) {
      await microtasksDone();
      if (this.#turns.length > 0) for (const turn of this.#turns.splice(0)) turn();
      else if (this.#world.clock.fireDue()) this.#world.note('timer');
      else if (this.streaming && await this.#streamsMoved()) continue;
      else break;
      if (round > MOST_ROUNDS) {
        this.#world.violate('liveness', 'it spins: timers that are due at once come without end');
        break;
      }
    }
    this.#world.becomeQuiet();
    this.#model.resting();
  }

  async #streamsMoved(): Promise<boolean> {
    const before = this.#world.moment().seq;
    await turnsDone();
    return this.#turns.length > 0 || this.#world.moment().seq > before + 1;
  }

  /** Time passes; what becomes due in it fires at its time, or, when the event loop was blocked, at the end. */
  async pass(ms: number, blocked = false): Promise<void> {
    const { clock } = this.#world;
    const end = clock.monotonic() + ms;
    // No time passes in the middle of a queue of microtasks.
    await microtasksDone();
    this.#model.looked();
    if (blocked) this.#world.lag += ms;
    else {
      for (let due = clock.nextDue; due !== undefined && due <= end; due = clock.nextDue) {
        clock.moveTo(due);
        await this.rest();
        if (this.#world.violations.length > 0) return;
      }
    }
    clock.moveTo(end);
    await this.rest();
  }
}
