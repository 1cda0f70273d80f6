import type { Random } from '../properties/simulation/random.js';
import { UPSTREAM_ANSWERS } from './odd-upstream.js';

/*
 * Responses that a handler, or an upstream it relays, may make by mistake or on purpose. Every byte of a body is part
 * of `[marker]`, so that a client sees at once whose bytes it got.
 */

const later = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

type Chunk = () => unknown;

/** A stream of these chunks. An Error among them fails it. */
function streamOf(chunks: readonly Chunk[], slow: boolean): ReadableStream<never> {
  let at = 0;
  return new ReadableStream<unknown>({
    async pull(controller) {
      if (slow) await later();
      const chunk = chunks[at]?.();
      at += 1;
      if (at > chunks.length) controller.close();
      else if (chunk instanceof Error) controller.error(chunk);
      else controller.enqueue(chunk);
    },
  }, { highWaterMark: 0 }) as ReadableStream<never>;
}

function bodyOf(random: Random, marker: string): BodyInit | null {
  const text = `[${marker}]`.repeat(random.pick([1, 1, 3, 2_000]));
  const bytes = (): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
  const wrong = random.pick<Chunk>([
    () => text,
    () => null,
    () => 7,
    () => new Error('the source failed'),
    () => new Uint8Array(),
  ]);
  const form = new FormData();
  form.set(marker, 'x');
  return random.pick<() => BodyInit | null>([
    () => null, () => '', () => text, bytes, () => new Blob([text]), () => form, () => new URLSearchParams([[marker, 'x']]),
    () => `HTTP/1.1 200 OK\r\nContent-Length: ${marker.length}\r\n\r\n${marker}`,
    () => streamOf([bytes], random.chance(0.5)),
    () => streamOf([bytes, bytes, bytes], random.chance(0.5)),
    () => streamOf(Array.from({ length: 40 }, () => bytes), random.chance(0.5)),
    () => streamOf([bytes, wrong, bytes], random.chance(0.5)),
    () => streamOf([wrong], random.chance(0.5)),
    () => streamOf([], random.chance(0.5)),
  ])();
}

const LENGTHS = ['0', '1', '5', '300', '99999', '0x5', '-1', '1e3', '5, 5', '5.0', ' 5', '9'.repeat(40), 'NaN'];
const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['content-length', LENGTHS], ['content-length', LENGTHS], ['transfer-encoding', ['chunked', 'gzip, chunked', 'identity', 'x']],
  ['connection', ['close', 'keep-alive', 'upgrade', 'x-named, close', 'content-length', 'te']], ['x-named', ['1']],
  ['keep-alive', ['timeout=1', 'timeout=0, max=0']], ['trailer', ['x-sum', 'content-length']], ['te', ['trailers', 'gzip']],
  ['upgrade', ['h2c', 'websocket']], ['proxy-connection', ['keep-alive']], ['http2-settings', ['AAMAAABkAAQAAP__']],
  ['content-encoding', ['gzip', 'br', 'x']], ['content-type', ['text/plain', 'application/json', '/', 'x'.repeat(300)]],
  ['x-odd', ['a\u0001b', 'caf\u00e9', '\u007f', 'y'.repeat(3_000), '']], ['date', ['yesterday']], ['host', ['elsewhere']],
  ['content-range', ['bytes 0-4/5']], ['set-cookie', ['a=1', 'b=2; Path=/']], ['status', ['200']], ['expect', ['100-continue']],
];

function headersOf(random: Random): Headers {
  const headers = new Headers();
  for (let count = random.below(5); count > 0; count -= 1) {
    const [name, values] = random.pick(HEADERS);
    try {
      headers.append(name, random.pick(values));
    } catch { /* fetch does not let that be a header */ }
  }
  return headers;
}

/** A value that has the shape of a Response and is none. */
function lookalike(random: Random, marker: string): Response {
  const stream = streamOf([() => new TextEncoder().encode(`[${marker}]`)], false);
  const fields = random.pick<() => object>([
    () => ({ status: random.pick([0, 100, 101, 199, 600, 999, 200.5, Number.NaN]) }),
    () => ({ status: 204, body: stream }),
    () => ({ statusText: 'a\r\nx-split: 1' }),
    () => ({ statusText: 7 }),
    () => ({ body: { pipe() {} } }),
    () => ({ body: 'text' }),
    () => ({
      headers: Object.assign(new Headers(), {
        *[Symbol.iterator]() {
          yield ['x-a', 'b\r\nx-split: 1'];
        },
      }),
    }),
    () => ({
      headers: Object.assign(new Headers(), {
        *[Symbol.iterator]() {
          yield ['x a', 'b'];
        },
      }),
    }),
    () => ({ headers: Object.assign(new Headers(), { getSetCookie: () => ['a=1\r\nx-split: 1'] }) }),
    () => ({
      get status(): number {
        throw new Error('a getter that throws');
      },
    }),
    () => ({
      get body(): null {
        throw new Error('a getter that throws');
      },
    }),
  ])();
  const plain = { status: 200, statusText: '', headers: new Headers(), body: stream, bodyUsed: false, url: '' };
  return Object.defineProperties(plain, Object.getOwnPropertyDescriptors(fields)) as never;
}

async function relayed(random: Random, marker: string, upstream: string): Promise<Response> {
  const response = await fetch(`${upstream}/${random.below(UPSTREAM_ANSWERS.length)}?${marker}`);
  return random.pick<() => Response>([
    () => response, () => response, () => response.clone(), () => new Response(response.body, response),
    () => new Response(null, response), () => new Response(`[${marker}]`, response),
  ])();
}

/** A Response, or a value that a handler may return by mistake. */
export async function oddResponse(random: Random, marker: string, upstream: string): Promise<Response> {
  if (random.chance(0.3)) return relayed(random, marker, upstream);
  if (random.chance(0.1)) return lookalike(random, marker);
  if (random.chance(0.03)) return random.pick<() => never>([
    () => undefined as never,
    () => null as never,
    () => 'text' as never,
    () => Response.error() as never,
    () => {
      throw new Error('of the handler');
    },
  ])();
  const status = random.pick([200, 200, 200, 201, 204, 205, 206, 304, 404, 418, 500, 599]);
  const body = [204, 205, 304].includes(status) ? null : bodyOf(random, marker);
  const response = new Response(body, {
    status,
    statusText: random.pick(['', '', 'Fine', 'caf\u00e9']),
    headers: headersOf(random),
  });
  const meddling = random.below(30);
  if (meddling === 0) await response.text().catch(() => undefined);
  else if (meddling === 1) response.body?.getReader();
  return response;
}
