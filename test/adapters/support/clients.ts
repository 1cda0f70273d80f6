import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { settle } from 'hydrant/testing';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. */
  readonly json: any;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Uint8Array;
  /** Without a content-length. */
  readonly chunked?: boolean;
}

/** One request by `node:http` on its own connection: the target goes out exactly as it is written here. */
export function send(
  port: number,
  target: string,
  { method = 'POST', headers = {}, body, chunked = false }: Sent = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const framing = chunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(Buffer.byteLength(body ?? '')) };
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      path: target,
      method,
      agent: false,
      headers: { ...(body === undefined ? {} : framing), ...headers },
    });
    let isAnswered = false;
    // A server that refuses a body closes while it is still being sent.
    request.on('error', (error) => {
      if (!isAnswered) reject(error);
    });
    request.on('response', (response) => {
      isAnswered = true;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          get json() {
            return JSON.parse(text);
          },
        });
      });
    });
    request.end(body);
  });
}

/** A connection on which the test writes raw bytes. */
export class RawConnection {
  readonly socket: Socket;
  #received = '';
  #isClosed = false;
  #wake = (): void => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => { this.#received += chunk.toString('latin1'); this.#wake(); });
    socket.on('error', () => undefined);
    socket.on('close', () => { this.#isClosed = true; this.#wake(); });
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => resolve(new RawConnection(socket)));
      socket.once('error', reject);
    });
  }

  get received(): string {
    return this.#received;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Resolves when the received bytes satisfy `condition`, or the server has closed. */
  async until(condition: (received: string) => boolean): Promise<string> {
    while (!condition(this.#received) && !this.#isClosed) await new Promise<void>((resolve) => { this.#wake = resolve; });
    return this.#received;
  }

  async untilClosed(): Promise<string> {
    return this.until(() => false);
  }
}

/** A promise and the functions that settle it. */
export function signal<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((given) => { resolve = given; });
  return { promise, resolve };
}

/** Lets the event loop turn until `value` has stopped changing. */
export async function plateau(value: () => number): Promise<number> {
  for (let last = value(), turns = 0; turns < 200; turns += 1) {
    await settle();
    if (value() !== last) [last, turns] = [value(), 0];
  }
  return value();
}
