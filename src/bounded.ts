interface Entry<V> {
  readonly key: string;
  value: V;
  previous: Entry<V>;
  next: Entry<V>;
}

/**
 * A map that forgets its least recently used entry rather than grow beyond its bound.
 *
 * The entries form a ring in order of use. The order of a `Map` itself would do, but the first key behind many deleted
 * ones takes time in proportion to those.
 */
export class BoundedMap<V extends {}> {
  readonly #max: number;
  readonly #entries = new Map<string, Entry<V>>();
  /** Joins the ends of the ring: after it comes the least recently used entry. */
  readonly #ends = {} as Entry<V>;

  constructor(max: number) {
    this.#max = max;
    this.#ends.previous = this.#ends.next = this.#ends;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#takeOut(entry);
    this.#append(entry);
    return entry.value;
  }

  set(key: string, value: V): void {
    this.delete(key);
    const entry = { key, value } as Entry<V>;
    this.#entries.set(key, entry);
    this.#append(entry);
    if (this.#entries.size > this.#max) this.delete(this.#ends.next.key);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#takeOut(entry);
  }

  deleteWhere(matches: (value: V) => boolean): void {
    for (const [key, { value }] of this.#entries) if (matches(value)) this.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#ends.previous = this.#ends.next = this.#ends;
  }

  #takeOut({ previous, next }: Entry<V>): void {
    previous.next = next;
    next.previous = previous;
  }

  #append(entry: Entry<V>): void {
    const { previous } = this.#ends;
    entry.previous = previous;
    entry.next = this.#ends;
    previous.next = this.#ends.previous = entry;
  }
}
