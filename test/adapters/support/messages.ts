import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { NodeRequest } from 'hydrant/node';
import { settle } from 'hydrant/testing';

export interface Message {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers?: Record<string, string | string[] | undefined>;
  /** The bytes of the body so far. `complete` says whether these are all. */
  readonly body?: string | Uint8Array;
  readonly complete?: boolean;
  readonly httpVersionMajor?: number;
  readonly encrypted?: boolean;
  /** Fields that parsers and frameworks have set. */
  readonly kept?: object;
}

/** A connection that keeps the bytes written to it. */
class Wire extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  written = '';
  /** While it is slow, it accepts no bytes. */
  slow = false;
  #pending: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString('latin1');
    if (!this.slow) done();
    else this.#pending = done;
  }

  takeAll(): void {
    this.slow = false;
    this.#pending?.();
  }
}

/** Node's own request, made by hand: nothing comes over a network. */
export function requestOf({
  method = 'POST',
  url = '/',
  headers = {},
  body,
  complete = true,
  httpVersionMajor = 1,
  encrypted = false,
  kept = {},
}: Message = {}): IncomingMessage & NodeRequest {
  const req = new IncomingMessage(Object.assign(new Wire(), { encrypted }) as unknown as Socket);
  const known = body === undefined ? headers : { 'content-length': String(Buffer.byteLength(body)), ...headers };
  Object.assign(req, { method, url, httpVersionMajor, httpVersionMinor: 1, headers: known, complete });
  if (body !== undefined) req.push(Buffer.from(body as string));
  if (complete) req.push(null);
  return Object.assign(req, kept) as IncomingMessage & NodeRequest;
}

/** The response to it, and its bytes on the wire so far. */
export function responseTo(req: IncomingMessage): { res: ServerResponse; wire: Wire } {
  const res = new ServerResponse(req);
  const wire = new Wire();
  res.assignSocket(wire as unknown as Socket);
  // The server of node:http passes it on in the same way.
  wire.on('drain', () => { res.emit('drain'); });
  return { res, wire };
}

/** Lets all that is under way come to rest: nothing here waits for a network. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await settle();
}
