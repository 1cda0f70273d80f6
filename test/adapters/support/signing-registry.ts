import { createHmac, timingSafeEqual } from 'node:crypto';

const SECRET = 'shh';

/** The header of a signed webhook: a HMAC over the bytes. */
export function sign(body: string | Uint8Array): Record<string, string> {
  return { 'x-signature': createHmac('sha256', SECRET).update(body).digest('hex') };
}

export interface Delivery {
  readonly id: string;
  readonly request: Request;
  readonly body: Buffer;
}

const STATUS: Record<string, number> = { BODY_TOO_LARGE: 413, BODY_ALREADY_PARSED: 500 };

/** Stands for a registry: verifies the bytes of every request, and answers for a body it cannot have. */
export function signingRegistry(respond?: (delivery: Delivery) => Response | Promise<Response>) {
  const deliveries: Delivery[] = [];
  return {
    deliveries,
    async handleWebhook(id: string, request: Request): Promise<Response> {
      if (request.bodyUsed) return refusal('BODY_ALREADY_PARSED');
      let body: Buffer;
      try {
        body = Buffer.from(await request.arrayBuffer());
      } catch (error) {
        const { code } = error as { code?: string };
        return code !== undefined && code in STATUS ? refusal(code) : new Response(null, { status: 400 });
      }
      const delivery = { id, request, body };
      deliveries.push(delivery);
      if (!isSigned(body, request.headers.get('x-signature'))) return new Response('bad signature', { status: 401 });
      return respond?.(delivery) ?? Response.json({ id, url: request.url, bytes: body.byteLength });
    },
  };
}

export function isSigned(body: Uint8Array, signature: string | null): boolean {
  const expected = Buffer.from(sign(body)['x-signature'] ?? '');
  const actual = Buffer.from(signature ?? '');
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function refusal(code: string): Response {
  return Response.json({ code }, { status: STATUS[code] ?? 500 });
}
