import type { Clock } from './clock.js';

/** One line for the console. */
export interface Line {
  /** A line is written once per key. Without a key, every time. */
  readonly key?: string;
  readonly text: string;
  readonly error?: unknown;
}

/** Longer keys are cut: they may hold a message that its sender chose. */
const MAX_KEY_LENGTH = 200;

/** The rate limit: so many lines in so many milliseconds. */
const MAX_LINES = 100;
const WINDOW_MS = 600_000;
/** The newest keys are remembered, up to this many. */
const MAX_KEYS = 1_000;

/**
 * Writes lines to `console.error`: once per key, and no more than the rate limit allows. At the end of each window it
 * says how many lines it suppressed. A suppressed line is written when its key comes up again and there is room.
 */
export class ConsoleLines {
  readonly #clock: Clock;
  /** In the order in which they came. A bounded map would bring lru-cache to entries that need it for nothing else. */
  readonly #keys = new Set<string>();
  #endsAt = -Infinity;
  #written = 0;
  #suppressed = 0;
  #cancelReport = (): void => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  write(line: Line): void {
    if (line.key !== undefined && this.#keys.has(line.key)) return;
    const now = this.#clock.monotonic();
    if (now >= this.#endsAt) this.#begin(now);
    if (this.#written === MAX_LINES) return this.#suppress(now);
    this.#written += 1;
    if (line.key !== undefined) this.#remember(line.key);
    print(line.text, ...('error' in line ? [line.error] : []));
  }

  #remember(key: string): void {
    const [oldest] = this.#keys;
    if (this.#keys.size === MAX_KEYS && oldest !== undefined) this.#keys.delete(oldest);
    this.#keys.add(key);
  }

  #begin(now: number): void {
    this.#report();
    this.#endsAt = now + WINDOW_MS;
    this.#written = 0;
  }

  #suppress(now: number): void {
    this.#suppressed += 1;
    if (this.#suppressed > 1) return;
    this.#cancelReport = this.#clock.setTimeout(() => this.#report(), this.#endsAt - now, { ref: false });
  }

  /** The timer may be late: then the first line after the window gets here before it. */
  #report(): void {
    if (this.#suppressed === 0) return;
    const lines = this.#suppressed;
    this.#suppressed = 0;
    this.#cancelReport();
    print(`hydrant: ${lines} more ${lines === 1 ? 'line was' : 'lines were'} suppressed in ${WINDOW_MS / 60_000} minutes`);
  }
}

/** A key for an error that has no other: its name and message. */
export function keyOf(error: unknown): string {
  try {
    return String(error).slice(0, MAX_KEY_LENGTH);
  } catch {
    return 'an error that cannot be printed';
  }
}

/** An error decides itself how it is printed, and may throw then. */
function print(text: string, ...errors: readonly unknown[]): void {
  try {
    console.error(text, ...errors);
  } catch {
    console.error(`${text} (the error cannot be printed)`);
  }
}
