import { onNextTurn } from '../clock.js';
import { concatenated } from './body.js';
import { sourceOf } from './response-source.js';

/** A body this small that ends within one turn of the event loop is not waited for. */
const EAGER_CHUNKS = 16;
const EAGER_BYTES = 64 * 1024;

type Part = ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;

/**
 * Tells when a response's body has been fully read or cancelled. A body that ends at once (one built from a string) is
 * done before anyone reads it, for a unit test often looks only at the status; a real stream is done when it ends.
 *
 * @returns the response to send in place of the one given
 */
export async function whenRead(response: Response, done: () => void): Promise<Response> {
  if (sourceOf(response) !== undefined || response.body === null) {
    done();
    return response;
  }
  const reader = response.body.getReader();
  const turn = new Promise<'turned'>((resolve) => onNextTurn(() => resolve('turned')));
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  let reading: Promise<Part> = reader.read();
  reading.catch(() => {});
  while (chunks.length < EAGER_CHUNKS && size < EAGER_BYTES) {
    let part: Part | 'turned';
    try {
      part = await Promise.race([reading, turn]);
    } catch {
      // Whoever reads on is told; nobody needs to for the source to be at its end.
      done();
      break;
    }
    if (part === 'turned') break;
    if (part.done) {
      done();
      return copyOf(response, concatenated(chunks, size));
    }
    chunks.push(part.value);
    size += part.value.byteLength;
    reading = reader.read();
    reading.catch(() => {});
  }
  return copyOf(response, rest(chunks, reading, reader, done));
}

/** What was read already, then what is still to come, one chunk at a time as the sender's side asks for it. */
function rest(
  chunks: readonly Uint8Array<ArrayBuffer>[], reading: Promise<Part>, reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, done: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next: Promise<Part> | undefined = reading;
  let index = 0;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const chunk = chunks[index];
      if (chunk !== undefined) {
        index += 1;
        controller.enqueue(chunk);
        return;
      }
      try {
        const part = await (next ?? reader.read());
        next = undefined;
        if (!part.done) {
          controller.enqueue(part.value);
          return;
        }
        done();
        controller.close();
      } catch (error) {
        done();
        controller.error(error);
      }
    },
    async cancel(reason) {
      try {
        await reader.cancel(reason);
      } finally {
        done();
      }
    },
  }, { highWaterMark: 0 });
}

function copyOf({ status, statusText, headers }: Response, body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>): Response {
  return new Response(body, { status, statusText, headers });
}
