import { readBody, rebuilt } from './body.js';

/** The request of one delivery. Its body is read once, and each who is called with it gets a copy. */
export class Incoming {
  readonly #request: Request;
  readonly #maxBodyBytes: number;
  #body: Uint8Array<ArrayBuffer> | undefined;
  #stop: (() => void) | undefined;

  constructor(request: Request, maxBodyBytes: number) {
    this.#request = request;
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** @throws ConnectionError as `readBody` does */
  async read(): Promise<void> {
    this.#body ??= await readBody(this.#request, this.#maxBodyBytes, (stop) => { this.#stop = stop; });
  }

  /** Whoever sends slowly is not waited for any longer. */
  stopReading(): void {
    this.#stop?.();
  }

  /** Aborts when the sender has gone, where the platform can tell. */
  get signal(): AbortSignal {
    return this.#request.signal;
  }

  /** With what there is of its body. */
  copy(): Request {
    return rebuilt(this.#request, this.#body ?? new Uint8Array());
  }
}
