import type { ServerResponse } from 'node:http';
import { vi } from 'vitest';
import { sendResponse } from '../../../src/adapters/node-response.js';
import { requestOf, responseTo, rest, type Message } from './messages.js';

export const bytes = (text: string) => new TextEncoder().encode(text);

/** A response on its way, and what of it has gone over the wire. */
export function sending(response: Response, message: Message = {}, prepare: (res: ServerResponse) => void = () => {}) {
  const req = requestOf(message);
  const { res, wire } = responseTo(req);
  prepare(res);
  const onError = vi.fn();
  return { res, wire, onError, sent: sendResponse({ response }, req, res, onError) };
}

/** A body that its test makes by hand. */
export function stream() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const cancel = vi.fn();
  const body = new ReadableStream<Uint8Array>({ start: (given) => { controller = given; }, cancel }, { highWaterMark: 0 });
  return {
    body,
    cancel,
    enqueue: (text: string) => controller.enqueue(bytes(text)),
    close: () => controller.close(),
    fail: () => controller.error(new Error('secret')),
  };
}

/** The bytes on the wire of a sent response. */
export async function written(
  response: Response,
  message: Message = {},
  prepare?: (res: ServerResponse) => void,
): Promise<string> {
  const { wire, sent } = sending(response, message, prepare);
  await sent;
  await rest();
  return wire.written;
}
