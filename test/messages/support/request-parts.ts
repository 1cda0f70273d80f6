import { makeRequest as make, type RequestBody, type RequestHead } from '../../../src/messages/requests.js';

export const text = (body: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(body);
export const FORM = 'team_id=T1&text=hello+there';

export interface RequestParts extends RequestHead { readonly body: RequestBody }

export const makeRequest = (request: RequestParts): Request => make(request, request.body);
/** The same request as an application would make it, without hydrant. */
export function platformRequest({ url, method, headers, signal, body }: RequestParts): Request {
  const stream = body !== null && 'read' in body ? body.stream() : body;
  return new Request(url, { method, headers, signal, body: stream as BodyInit | null, duplex: 'half' } as RequestInit);
}

export function parts({ body = text('{"a":1}'), ...others }: Partial<RequestParts> = {}): RequestParts {
  return {
    url: "https://hooks.example.com/a/b?it='s", method: 'POST', signal: new AbortController().signal,
    headers: new Headers({ 'content-type': 'application/x-www-form-urlencoded', 'x-signature': 'v0=abc' }), body, ...others,
  };
}

export const BODIES: Record<string, () => RequestParts['body']> = {
  'a body': () => text(FORM),
  JSON: () => text('{"then":[1,2]}'),
  'a byte order mark and bytes that are no UTF-8': () => Uint8Array.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0xc3]),
  'no body': () => null,
  'a body that was not read': () => ({
    stream: () => new Response(FORM).body as ReadableStream<Uint8Array>,
    read: async () => text(FORM),
  }),
  'a stream': () => new Response(FORM).body,
};
