import type { Clock } from 'hydrant';
import type { Random } from './random.js';

interface Timer { readonly at: number; cancelled: boolean; readonly order: number; readonly callback: () => void }
/** Happenings in their order in time: a binary heap. */
class Agenda<T extends { readonly at: number; readonly order: number }> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  push(item: T): void {
    const heap = this.#heap;
    let place = heap.push(item) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(heap[place]!, heap[parent]!)) return;
      [heap[place], heap[parent]] = [heap[parent]!, heap[place]!];
      place = parent;
    }
  }

  shift(): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    heap[0] = last;
    for (let place = 0; ;) {
      let least = place;
      for (const child of [2 * place + 1, 2 * place + 2])
        if (child < heap.length && before(heap[child]!, heap[least]!)) least = child;
      if (least === place) return first;
      [heap[place], heap[least]] = [heap[least]!, heap[place]!];
      place = least;
    }
  }
}

const before = (a: { at: number; order: number }, b: { at: number; order: number }): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);

interface Event { readonly at: number; readonly order: number; readonly happen: () => void }

/** Lets every promise that is ready settle. */
const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

/** True time and everything that happens in it, one thing after the other. The claim store's clock is the true one. */
export class World {
  now = 0;
  readonly machines: Machine[] = [];
  readonly #events = new Agenda<Event>();
  #order = 0;

  /** An event at a true time, independent of the state of any machine. */
  at(time: number, happen: () => void): void {
    this.#events.push({ at: Math.max(time, this.now), order: this.#order++, happen });
  }

  async until(end: number, checked: () => void): Promise<void> {
    await settle();
    for (;;) {
      const event = this.#events.first;
      let machine: Machine | undefined;
      let machineAt = Infinity;
      for (const one of this.machines) {
        const nextAt = one.running ? one.nextAt : Infinity;
        if (nextAt < machineAt) [machine, machineAt] = [one, nextAt];
      }
      const at = Math.min(event?.at ?? Infinity, machineAt);
      if (at > end) break;
      this.now = Math.max(this.now, at);
      if (event !== undefined && event.at <= at) {
        this.#events.shift();
        event.happen();
      } else {
        machine!.fire();
      }
      await settle();
      checked();
    }
    this.now = end;
  }
}

/**
 * One process on one machine: a monotonic clock that drifts, a wall clock that also jumps, an uptime that includes sleep,
 * and an event loop that can be stopped. What arrives or becomes due meanwhile happens when it goes on, in any order.
 */
export class Machine implements Clock {
  state: 'running' | 'paused' | 'dead' = 'running';
  readonly #world: World;
  readonly #random: Random;
  readonly #rate: number;
  #timers = new Agenda<Timer>();
  #backlog: (() => void)[] = [];
  #order = 0;
  #since: number;
  #monotonicThen = 0;
  #wallOffset: number;
  #suspended = false;
  #slept = 0;
  /** True time when it last went on after its monotonic clock had stood still. */
  #wokenAt = -Infinity;

  constructor(world: World, random: Random, drift: number) {
    this.#world = world;
    this.#random = random;
    this.#rate = 1 + random.between(-drift, drift);
    this.#since = world.now;
    this.#wallOffset = random.between(0, 1e12);
    world.machines.push(this);
  }

  get running(): boolean {
    return this.state === 'running';
  }

  /** Whether its timers have had their chance: after a suspension they do not know that time has passed. */
  awakeFor(ms: number): boolean {
    return this.running && this.#world.now - this.#wokenAt >= ms;
  }

  monotonic = (): number =>
    this.#suspended ? this.#monotonicThen : this.#monotonicThen + (this.#world.now - this.#since) * this.#rate;

  now = (): number => this.monotonic() + this.#wallOffset;

  uptime = (): number => this.monotonic() + this.#slept;

  setTimeout = (callback: () => void, ms: number): (() => void) => {
    const timer: Timer = { at: this.monotonic() + Math.max(0, ms), order: this.#order++, callback, cancelled: false };
    this.#timers.push(timer);
    return () => {
      timer.cancelled = true;
    };
  };

  /** When its next timer is due, in true time. */
  get nextAt(): number {
    const next = this.#next();
    return next === undefined ? Infinity : this.#world.now + Math.max(0, next.at - this.monotonic()) / this.#rate;
  }

  fire(): void {
    const next = this.#next();
    if (next === undefined) return;
    this.#timers.shift();
    next.callback();
  }

  /** A message arrives. A paused process handles it when it continues, a dead one never. */
  deliver(handle: () => void): void {
    if (this.state === 'running') handle();
    else if (this.state === 'paused') this.#backlog.push(handle);
  }

  /** SIGSTOP, a blocked event loop, or (`suspended`) a machine that sleeps: then its monotonic clock stands still. */
  pause(suspended: boolean): void {
    if (this.state !== 'running') return;
    this.#monotonicThen = this.monotonic();
    this.#since = this.#world.now;
    this.#suspended = suspended;
    this.state = 'paused';
  }

  resume(): void {
    if (this.state !== 'paused') return;
    if (this.#suspended) {
      this.#wallOffset += this.#world.now - this.#since;
      this.#slept += this.#world.now - this.#since;
      this.#since = this.#world.now;
      this.#suspended = false;
      this.#wokenAt = this.#world.now;
    }
    this.state = 'running';
    // Messages first or timers first: a fresh event loop promises neither.
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const handle of backlog) {
      if (this.#random.chance(0.5)) handle();
      else this.#world.at(this.#world.now, () => this.deliver(handle));
    }
  }

  kill(): void {
    this.state = 'dead';
    this.#timers = new Agenda();
    this.#backlog = [];
  }

  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  #next(): Timer | undefined {
    while (this.#timers.first?.cancelled === true) this.#timers.shift();
    return this.#timers.first;
  }
}
