import type { InstanceFactory, WebhookContext } from 'hydrant';
import { deferred, type Deferred } from './deferred.js';
import { Harness, type HarnessOptions, type Instance, type Row } from './harness.js';

export const SECRET = 'the-shared-secret';

/** A POST that is authenticated with the shared secret by default. */
export function post(body: RequestInit['body'] = 'hello', init: RequestInit & { secret?: string } = {}): Request {
  const { secret = SECRET, headers, ...rest } = init;
  return new Request('http://gateway.test/webhooks/a?x=1', {
    method: 'POST',
    body: body ?? null,
    headers: { 'x-secret': secret, ...headers },
    ...rest,
  });
}

export const echo = async (instance: Instance, request: Request): Promise<Response> =>
  new Response(`${instance.name}: ${await request.text()}`);

/** A handler whose Response cannot be sent, because its body has been read. */
export async function answerThatWasRead(): Promise<Response> {
  const response = new Response('x');
  await response.text();
  return response;
}

/** A handler that passes work to `waitUntil` and answers. */
export const handingOver = (work: () => Promise<unknown>) =>
  (_instance: Instance, _request: Request, { waitUntil }: WebhookContext<Row>): Response => {
    waitUntil(work());
    return new Response();
  };

/** A `secrets` that settles when the test says so: its calls, in order. */
export function heldSecrets(): { readonly calls: Deferred<string>[]; secrets(): Promise<string> } {
  const calls: Deferred<string>[] = [];
  return {
    calls,
    secrets() {
      const call = deferred<string>();
      calls.push(call);
      return call.promise;
    },
  };
}

/** A harness whose factory serves webhooks. */
export function webhookHarness({
  factory,
  ...options
}: HarnessOptions & { factory?: Partial<InstanceFactory<Row, Instance>> } = {}): Harness {
  return new Harness({
    ...options,
    factory: { authenticate: (request) => request.headers.get('x-secret') === SECRET, handleWebhook: echo, ...factory },
  });
}

/** A harness whose handler answers with a body from `source`, and with the connection `a`. */
export function streamingHarness(source: UnderlyingDefaultSource<Uint8Array>): Harness {
  const h = webhookHarness({ factory: { handleWebhook: () => new Response(new ReadableStream(source)) } });
  h.rows.put('a');
  return h;
}

/** The parts of a response that matter to a sender. */
export async function seen(response: Response): Promise<{ status: number; code?: string; retryAfter?: string; body?: string }> {
  const text = await response.text();
  if (response.headers.get('content-type') !== 'application/problem+json') return { status: response.status, body: text };
  const { code } = JSON.parse(text) as { code: string };
  const retryAfter = response.headers.get('retry-after');
  return { status: response.status, code, ...(retryAfter === null ? {} : { retryAfter }) };
}
