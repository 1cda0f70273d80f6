import type { ChatLock, ChatState } from './contract.js';

/**
 * A view of a shared state that only one connection sees: every key and thread id gets the connection's prefix.
 *
 * `disconnect` does not touch the shared state, because other connections use it. Close its client after the registry.
 */
export class PrefixedState implements ChatState {
  readonly #shared: ChatState;
  readonly #prefix: string;

  /** Encoding the id keeps `a` with key `b:c` apart from `a:b` with key `c`. */
  constructor(shared: ChatState, connectionId: string) {
    this.#shared = shared;
    this.#prefix = `${encodeURIComponent(connectionId)}:`;
  }

  connect(): Promise<void> {
    return this.#shared.connect();
  }

  async disconnect(): Promise<void> {}

  subscribe(threadId: string): Promise<void> {
    return this.#shared.subscribe(this.#own(threadId));
  }

  unsubscribe(threadId: string): Promise<void> {
    return this.#shared.unsubscribe(this.#own(threadId));
  }

  isSubscribed(threadId: string): Promise<boolean> {
    return this.#shared.isSubscribed(this.#own(threadId));
  }

  async acquireLock(threadId: string, ttlMs: number): Promise<ChatLock | null> {
    const lock = await this.#shared.acquireLock(this.#own(threadId), ttlMs);
    return lock === null ? null : { ...lock, threadId };
  }

  extendLock(lock: ChatLock, ttlMs: number): Promise<boolean> {
    return this.#shared.extendLock(this.#ownLock(lock), ttlMs);
  }

  releaseLock(lock: ChatLock): Promise<void> {
    return this.#shared.releaseLock(this.#ownLock(lock));
  }

  forceReleaseLock(threadId: string): Promise<void> {
    return this.#shared.forceReleaseLock(this.#own(threadId));
  }

  enqueue(threadId: string, entry: unknown, maxSize: number): Promise<number> {
    return this.#shared.enqueue(this.#own(threadId), entry, maxSize);
  }

  dequeue(threadId: string): Promise<any> {
    return this.#shared.dequeue(this.#own(threadId));
  }

  queueDepth(threadId: string): Promise<number> {
    return this.#shared.queueDepth(this.#own(threadId));
  }

  get<T = unknown>(key: string): Promise<T | null> {
    return this.#shared.get<T>(this.#own(key));
  }

  set<T = unknown>(key: string, value: T, ttlMs?: number): Promise<void> {
    return this.#shared.set(this.#own(key), value, ttlMs);
  }

  setIfNotExists(key: string, value: unknown, ttlMs?: number): Promise<boolean> {
    return this.#shared.setIfNotExists(this.#own(key), value, ttlMs);
  }

  delete(key: string): Promise<void> {
    return this.#shared.delete(this.#own(key));
  }

  appendToList(key: string, value: unknown, options?: { maxLength?: number; ttlMs?: number }): Promise<void> {
    return this.#shared.appendToList(this.#own(key), value, options);
  }

  getList<T = unknown>(key: string): Promise<T[]> {
    return this.#shared.getList<T>(this.#own(key));
  }

  #own(key: string): string {
    return this.#prefix + key;
  }

  #ownLock(lock: ChatLock): ChatLock {
    return { ...lock, threadId: this.#own(lock.threadId) };
  }
}

/** The methods of the state contract that a shared state lacks. */
export function missingMethods(state: Partial<Record<keyof ChatState, unknown>>): string[] {
  const contract = Object.getOwnPropertyNames(PrefixedState.prototype) as (keyof ChatState | 'constructor')[];
  return contract.filter((name) => name !== 'constructor' && typeof state[name] !== 'function');
}
