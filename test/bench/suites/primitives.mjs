import { interleaved } from '../measure/rounds.mjs';

const BODY = new TextEncoder().encode(JSON.stringify({ type: 'event_callback', text: 'hello '.repeat(30) }));
const HEADERS = new Headers({ 'content-type': 'application/json', 'x-signature': '0'.repeat(64) });
const REFERENCE = 'new Request(url, bytes)';

const request = () => new Request('http://localhost/webhooks/acme', { method: 'POST', headers: HEADERS, body: BODY });

/** Unlike `text`, this can stop at a stream that does not end in this turn. */
async function readByReader({ body }) {
  const reader = body.getReader();
  let last;
  for (let part = await reader.read(); !part.done; part = await reader.read()) last = part.value;
  return last;
}

async function madeAgain(response) {
  const { status, statusText, headers } = response;
  return new Response(await readByReader(response), { status, statusText, headers });
}

export const PRIMITIVES = {
  [REFERENCE]: request,
  'a Request, text()': () => request().text(),
  'a Request, by a reader': () => readByReader(request()),
  "new Response('ok')": () => new Response('ok'),
  'a Response, text()': () => new Response('ok').text(),
  'a Response, read, made again, text()': async () => (await madeAgain(new Response('ok'))).text(),
  'new AbortController().signal': () => new AbortController().signal,
};

/** The cost of the parts of a delivery that belong to the runtime. */
export function primitives({ rounds }) {
  const subjects = Object.entries(PRIMITIVES).map(([name, make]) => ({
    name,
    size: 400,
    async run(size) {
      for (let at = 0; at < size; at += 1) await make();
    },
  }));
  return interleaved(subjects, { reference: REFERENCE, rounds });
}
