/** Where undici, the fetch of Node, keeps what a response was built from: the bytes or the text, beside the stream of them. */
interface State { readonly body?: { readonly source?: unknown; readonly stream?: { readonly locked?: unknown } } | null }

/** The symbol it is kept under; one of nothing where the platform does not show it (Node 24, Bun, Deno, workerd). */
let key: symbol | undefined;

function keyOf(): symbol {
  // Not of `new Response`: a framework may have put a class of its own in its place.
  const probe = Response.json(0);
  return Object.getOwnPropertySymbols(probe).find((symbol) => isKnown((Reflect.get(probe, symbol) as State | null | undefined)?.body?.source)) ?? Symbol();
}

/** What a response's body was built from, if that is text or bytes, and nobody has begun to read it. */
export function sourceOf(response: Response): string | Uint8Array | undefined {
  key ??= keyOf();
  const body = (response as unknown as { readonly [state: symbol]: State | undefined })[key]?.body;
  const source = body?.source;
  return isKnown(source) && body?.stream?.locked === false && !response.bodyUsed ? source : undefined;
}

function isKnown(source: unknown): source is string | Uint8Array {
  return typeof source === 'string' || source instanceof Uint8Array;
}
