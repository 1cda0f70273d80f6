import type { StoreListener } from 'hydrant';

/** Hints that a test gives by hand. Pass `watch` to the code under test, then call `changed` and `gap`. */
export class GivenHints implements StoreListener {
  /** Whether the subscription was disposed of. Hints still reach its listener, as those of a late store would. */
  ended = false;
  #listener: StoreListener | undefined;

  readonly watch = async (listener: StoreListener): Promise<AsyncDisposable> => {
    this.#listener = listener;
    return { [Symbol.asyncDispose]: async () => { this.ended = true; } };
  };

  changed(ids: readonly string[]): void {
    this.#heard.changed(ids);
  }

  gap(): void {
    this.#heard.gap();
  }

  get #heard(): StoreListener {
    if (this.#listener === undefined) throw new Error('nobody has subscribed yet');
    return this.#listener;
  }
}
