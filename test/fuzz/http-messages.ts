/** A response as HTTP/1.1 frames it (RFC 9112, 6.3), or as much of it as came. */
export interface Message {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** The traffic of a connection: whole responses, and the bytes behind them. */
export interface Carried { readonly messages: Message[]; readonly rest: string }

/** Splits the bytes of a connection, strictly: anything that two readers could take differently is an error. */
export function messagesIn(received: string, methods: readonly string[], isClosed: boolean): Carried {
  const messages: Message[] = [];
  let rest = received;
  for (const method of methods) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const head = rest.slice(0, end + 2);
    const status = Number(/^HTTP\/1\.1 ([2-5]\d\d) [^\r\n]*\r\n/.exec(head)?.[1]);
    if (Number.isNaN(status)) throw new Error(`This is no response: ${JSON.stringify(rest.slice(0, 200))}`);
    const lengths = [...head.matchAll(/\r\ncontent-length:(.*)\r/gi)].map(([, value]) => String(value).trim());
    const codings = [...head.matchAll(/\r\ntransfer-encoding:(.*)\r/gi)].map(([, value]) => String(value).trim().toLowerCase());
    if (lengths.length + codings.length > 1) throw new Error(`A response is framed twice: ${head}`);
    const isOdd = lengths.some((length) => !/^\d+$/.test(length)) || codings.some((coding) => coding !== 'chunked');
    if (isOdd) throw new Error(`A response is framed oddly: ${head}`);
    const after = rest.slice(end + 4);
    const hasNone = method === 'HEAD' || status === 204 || status === 304;
    const body = hasNone ? { text: '', used: 0 }
      : codings.length > 0 ? chunks(after)
        : lengths.length > 0 ? exactly(after, Number(lengths[0]))
          : isClosed ? exactly(after, after.length) : undefined;
    if (body === undefined) break;
    messages.push({ status, head, body: body.text });
    rest = after.slice(body.used);
  }
  return { messages, rest };
}

function exactly(text: string, length: number): { text: string; used: number } | undefined {
  return text.length < length ? undefined : { text: text.slice(0, length), used: length };
}

function chunks(text: string): { text: string; used: number } | undefined {
  let body = '';
  for (let at = 0; ;) {
    const size = /^([0-9a-f]+)\r\n/i.exec(text.slice(at, at + 20));
    if (size === null) return undefined;
    const length = Number.parseInt(size[1]!, 16);
    at += size[0].length;
    if (text.length < at + length + 2) return undefined;
    body += text.slice(at, at + length);
    at += length + 2;
    if (length === 0) return { text: body, used: at };
  }
}
