import { LRUCache } from 'lru-cache';

/** A map that forgets its least recently used entry rather than grow beyond its bound. */
export class BoundedMap<V extends {}> {
  readonly #entries: LRUCache<string, V>;

  constructor(max: number) {
    this.#entries = new LRUCache<string, V>({ max });
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    return this.#entries.get(key);
  }

  set(key: string, value: V): void {
    this.#entries.set(key, value);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
