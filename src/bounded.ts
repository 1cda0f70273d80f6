import { LRUCache } from 'lru-cache';

/** An LRU list takes all its room when it is made: for the bounds used here that is milliseconds, and 200 KiB each. */
const FIRST_ROOM = 64;
const GROWTH = 8;

/** A map that forgets its least recently used entry rather than grow beyond its bound. */
export class BoundedMap<V extends {}> {
  readonly #max: number;
  #entries: LRUCache<string, V>;

  constructor(max: number) {
    this.#max = max;
    this.#entries = new LRUCache<string, V>({ max: Math.min(max, FIRST_ROOM) });
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    const { size, max } = this.#entries;
    if (size === max && max < this.#max) this.#grow(Math.min(this.#max, max * GROWTH));
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  deleteWhere(matches: (value: V) => boolean): void {
    const found: string[] = [];
    for (const [key, value] of this.#entries) if (matches(value)) found.push(key);
    for (const key of found) this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  #grow(max: number): void {
    const larger = new LRUCache<string, V>({ max });
    larger.load(this.#entries.dump());
    this.#entries = larger;
  }
}
