import { BoundedMap } from './bounded.js';
import { isOnlooker, onlooker } from './onlooker.js';

type Listener<Payload> = (payload: Payload) => void;

/** What the console is told, once per `key`. */
export interface Line {
  readonly key: string;
  readonly text: string;
  readonly error?: unknown;
}

/** Lines that were written already. */
const MAX_WRITTEN = 1_000;

/** Who listens to which of `Events` (names and payloads). What nobody listens to may be written to the console instead. */
export class Listeners<Events> {
  readonly #lineOf: <E extends keyof Events>(event: E, payload: Events[E]) => Line | undefined;
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();
  readonly #written = new BoundedMap<true>(MAX_WRITTEN);

  /** @param lineOf - what is to be written of an event that nobody listens to but onlookers: a failure must not pass unseen */
  constructor(lineOf: <E extends keyof Events>(event: E, payload: Events[E]) => Line | undefined) {
    this.#lineOf = lineOf;
  }

  /** Returns what ends the listening. */
  on<E extends keyof Events>(event: E, listener: Listener<Events[E]>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    // A wrapper of its own, so that the same function may listen twice and be taken off once.
    const own: Listener<Events[E]> = (payload) => listener(payload);
    listeners.add(isOnlooker(listener) ? onlooker(own) : own);
    return () => void listeners.delete(own);
  }

  has(event: keyof Events): boolean {
    return (this.#listeners.get(event)?.size ?? 0) > 0;
  }

  /** A listener that throws harms nobody: neither whoever emits nor the other listeners. */
  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    const listeners = this.#listeners.get(event);
    const all = [...listeners ?? []] as Listener<Events[E]>[];
    if (all.every(isOnlooker)) this.#write(this.#lineOf(event, payload));
    for (const listener of all) {
      try {
        const result: unknown = listener(payload);
        if (result instanceof Promise) result.catch((error: unknown) => listenerFailed(event, error));
      } catch (error) {
        listenerFailed(event, error);
      }
    }
  }

  #write(line: Line | undefined): void {
    if (line === undefined || this.#written.get(line.key) !== undefined) return;
    this.#written.set(line.key, true);
    writeLine(line.text, ...('error' in line ? [line.error] : []));
  }
}

function listenerFailed(event: PropertyKey, error: unknown): void {
  writeLine(`hydrant: a listener of '${String(event)}' failed`, error);
}

/** An error may say itself how it is printed, and throw at that. */
function writeLine(text: string, ...errors: readonly unknown[]): void {
  try {
    console.error(text, ...errors);
  } catch {
    console.error(`${text} (the error cannot be printed)`);
  }
}
