import type { Clock } from './clock.js';
import { ConsoleLines, type Line } from './console-lines.js';
import { isOnlooker, onlooker } from './onlooker.js';

type Listener<Payload> = (payload: Payload) => void;

/** The listeners of each of `Events` (names and payloads). An event without listeners may be written to the console. */
export class Listeners<Events> {
  readonly #lineOf: <E extends keyof Events>(event: E, payload: Events[E]) => Line | undefined;
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();
  readonly #console: ConsoleLines;

  /** @param lineOf - the line for an event that has no listeners but onlookers, so that a failure does not pass unseen */
  constructor(lineOf: <E extends keyof Events>(event: E, payload: Events[E]) => Line | undefined, clock: Clock) {
    this.#lineOf = lineOf;
    this.#console = new ConsoleLines(clock);
  }

  /** Returns an unsubscribe function. */
  on<E extends keyof Events>(event: E, listener: Listener<Events[E]>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    // A wrapper for each call, so that the same function may listen twice and be removed once.
    const own: Listener<Events[E]> = (payload) => listener(payload);
    listeners.add(isOnlooker(listener) ? onlooker(own) : own);
    return () => void listeners.delete(own);
  }

  has(event: keyof Events): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  /** Exceptions thrown by listeners are caught. */
  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    const listeners = this.#listeners.get(event);
    const all = [...listeners ?? []] as Listener<Events[E]>[];
    if (all.every(isOnlooker)) this.#write(this.#lineOf(event, payload));
    for (const listener of all) {
      try {
        const result: unknown = listener(payload);
        if (result instanceof Promise) result.catch((error: unknown) => this.#failed(event, error));
      } catch (error) {
        this.#failed(event, error);
      }
    }
  }

  #write(line: Line | undefined): void {
    if (line !== undefined) this.#console.write(line);
  }

  #failed(event: PropertyKey, error: unknown): void {
    this.#console.write({ text: `hydrant: a listener of '${String(event)}' failed`, error });
  }
}
