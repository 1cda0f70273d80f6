import { onMicrotask } from '../clock.js';
import type { Version } from '../contracts/record.js';
import type { StoreReadOptions } from '../contracts/store.js';
import type { Environment } from '../environment.js';
import { isConnectionError } from '../errors.js';

/** The store's answer for one id. */
export type Answer =
  | { readonly kind: 'version'; readonly version: string | undefined }
  | { readonly kind: 'row'; readonly row: unknown }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Finds the answer for one of the ids that were asked for. A map of the store's own making may throw when it is asked. */
export type AnswerOf = (id: string) => Answer;

/** One query of the store: the versions or the rows of some ids. It ends once, and a later answer is dropped. */
export class Query {
  readonly #env: Environment<any, any>;
  readonly #kind: 'version' | 'row';
  #ids: readonly string[];
  #ended: (answerOf: AnswerOf, inTime: boolean) => void;
  readonly #settledLate: () => void;
  readonly #options = new ReadOptions();
  #cancelTimeout: (() => void) | undefined;
  #over = false;

  /**
   * @param ended - `inTime` is false when it was given up after `storeTimeoutMs`
   * @param settledLate - the store settled it after it had been given up
   */
  constructor(
    env: Environment<any, any>, kind: 'version' | 'row', ids: readonly string[],
    ended: (answerOf: AnswerOf, inTime: boolean) => void, settledLate: () => void,
  ) {
    this.#env = env;
    this.#kind = kind;
    this.#ids = ids;
    this.#ended = ended;
    this.#settledLate = settledLate;
  }

  send(): void {
    const { clock, options: { storeTimeoutMs } } = this.#env;
    this.#cancelTimeout = storeTimeoutMs === Infinity ? undefined : clock.setTimeout(() => {
      const error = new Error(`the store has not answered within storeTimeoutMs (${storeTimeoutMs} ms)`);
      this.#env.emit('storeFailed', { error });
      this.#end(() => ({ kind: 'failed', error }), false);
      this.#options.abort(error);
    }, storeTimeoutMs, { ref: true });
    try {
      this.#env.inOwnContext(() => this.#ask());
    } catch (error) {
      // In a task of its own, because the query that follows a failed one may throw as well.
      onMicrotask(() => this.#fail(error));
    }
  }

  #ask(): void {
    if (this.#kind === 'version') this.#askVersions(this.#ids);
    else if (this.#ids.length === 1) this.#askRow(this.#ids[0] as string);
    else this.#askRows(this.#ids);
  }

  #askRow(id: string): void {
    Promise.resolve(this.#env.options.store.get(id, this.#options)).then(
      (row) => this.#end(() => ({ kind: 'row', row })),
      (error: unknown) => {
        // A row that cannot be read is that row's trouble, not the store's.
        if (isConnectionError(error, 'INVALID_RECORD')) this.#end(() => ({ kind: 'row', row: error }));
        else this.#fail(error);
      },
    );
  }

  #askRows(ids: readonly string[]): void {
    this.#endWith(this.#env.options.store.getMany?.(ids, this.#options), (rows) => {
      const found = asMap(rows, 'getMany');
      return (id) => this.#rowIn(found.get(id));
    });
  }

  /** A store may say of one row that it could not be read, and answer for the others. */
  #rowIn(row: unknown): Answer {
    if (!isConnectionError(row, 'STORE_UNAVAILABLE')) return { kind: 'row', row };
    const error = row.cause ?? row;
    this.#env.emit('storeFailed', { error });
    return { kind: 'failed', error };
  }

  #askVersions(ids: readonly string[]): void {
    this.#endWith(this.#env.options.store.getVersions?.(ids, this.#options), (versions) => {
      const found = asMap<Version>(versions, 'getVersions');
      return (id) => {
        const version = found.get(id);
        return { kind: 'version', version: version === undefined || version === null ? undefined : String(version) };
      };
    });
  }

  #endWith(answers: PromiseLike<unknown> | undefined, answerIn: (answers: unknown) => AnswerOf): void {
    Promise.resolve(answers).then(answerIn).then((answerOf) => this.#end(answerOf), (error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    if (!this.#over) this.#env.emit('storeFailed', { error });
    this.#end(() => ({ kind: 'failed', error }));
  }

  #end(answerOf: AnswerOf, inTime = true): void {
    if (this.#over) return this.#settledLate();
    const ended = this.#ended;
    this.#over = true;
    this.#cancelTimeout?.();
    // A store that never settles keeps the query in memory. It must not keep the waiters too.
    this.#ids = [];
    this.#ended = () => {};
    ended(answerOf, inTime);
  }
}

function asMap<V>(answer: unknown, method: string): ReadonlyMap<string, V> {
  if (typeof (answer as ReadonlyMap<string, V> | undefined)?.get === 'function') return answer as ReadonlyMap<string, V>;
  throw new TypeError(`the store's ${method} must resolve a Map`);
}

/** The signal is made when it is first asked for: most drivers have no use for one. */
class ReadOptions implements StoreReadOptions {
  #controller: AbortController | undefined;

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  abort(reason: unknown): void {
    this.#controller?.abort(reason);
  }
}
