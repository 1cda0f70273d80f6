import type { NodeRequest } from './node-types.js';

/** The settings by which the public address of a request is found. */
export interface PublicOrigin {
  readonly origin?: string | undefined;
  readonly trustProxy?: boolean | undefined;
  /** The framework's answer, by its own rules of trust. Used after `origin` and `trustProxy`. */
  readonly framework?: { readonly protocol: string; readonly host: string | undefined } | undefined;
}

/** A host name, IPv4 or bracketed IPv6 address, and perhaps a port. Nothing more is valid in `Host`. */
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** A request target in absolute form, which names the host itself (RFC 9112, 3.2.2). */
const ABSOLUTE = /^(https?):\/\/([^/?#]*)(.*)/is;

/** Characters that Node refuses in a target. */
const CONTROL = /[\0-\x20\x7f]/;

/**
 * The URL the sender used. Path and query are as they came, byte for byte, because a signature may cover them. The URL
 * parser would rewrite some of both (`'` to `%27`, `/./` to `/`). `undefined` when `Host` or the target is not valid.
 */
export function urlOf(req: NodeRequest, settings: PublicOrigin): string | undefined {
  const target = req.originalUrl ?? req.url ?? '';
  const absolute = ABSOLUTE.exec(target) ?? undefined;
  if ((absolute === undefined && !target.startsWith('/')) || CONTROL.test(target)) return undefined;
  const origin = originOf(req, settings, absolute && { protocol: absolute[1]!.toLowerCase(), host: absolute[2] });
  const rest = absolute === undefined ? target : absolute[3]!.replace(/^(?!\/)/, '/');
  const parsed = origin && parsedOrigin(origin);
  return parsed && parsed + rest;
}

/** The last origin and its parsed form, because nearly all requests to a server have the same one. */
let last: { readonly origin: string; readonly parsed: string | undefined } | undefined;

/** `undefined` if the parser refuses it. It refuses no path and no query. */
function parsedOrigin(origin: string): string | undefined {
  if (last?.origin !== origin) last = { origin, parsed: URL.canParse(origin) ? new URL(origin).origin : undefined };
  return last.parsed;
}

interface Address { readonly protocol: string; readonly host: string | undefined }

/** Whom to believe, in this order: `origin`, a trusted proxy, the target, and what the connection says of itself. */
function originOf(
  req: NodeRequest,
  { origin, trustProxy, framework }: PublicOrigin,
  target: Address | undefined,
): string | undefined {
  if (origin !== undefined) return origin;
  const own = target ?? ownAddress(req);
  if (trustProxy === undefined && framework !== undefined) {
    const { protocol, host } = framework;
    // A framework does not tell whether it believes a proxy. If it may have its answer from one, it is right.
    const isOwn = [req.headers.host, req.headers[':authority']].includes(host) && !isForwarded(req, 'x-forwarded-host', host);
    if (!isOwn || host === undefined) return checkedOrigin(framework);
    return checkedOrigin({
      protocol: isForwarded(req, 'x-forwarded-proto', protocol) ? protocol : target?.protocol ?? protocol,
      host: own.host,
    });
  }
  if (trustProxy !== true) return checkedOrigin(own);
  const protocol = forwarded(req, 'x-forwarded-proto')?.toLowerCase();
  return checkedOrigin({
    protocol: protocol === 'http' || protocol === 'https' ? protocol : own.protocol,
    host: forwarded(req, 'x-forwarded-host') ?? own.host,
  });
}

function ownAddress(req: NodeRequest): Address {
  const encrypted = 'encrypted' in req.socket && req.socket.encrypted === true;
  return {
    protocol: encrypted ? 'https' : 'http',
    // Over HTTP/2 `Host` is a header like any other (RFC 9113, 8.3.1).
    host: (req.headers[':authority'] as string | undefined) ?? req.headers.host,
  };
}

/** The first value, which the proxy nearest to the sender set. */
export function forwarded(req: NodeRequest, name: string): string | undefined {
  const value = req.headers[name];
  const first = (typeof value === 'string' ? value : undefined)?.split(',', 1)[0]!.trim();
  return first === '' ? undefined : first;
}

/** Whether a proxy, trusted or not, has sent this value. */
function isForwarded(req: NodeRequest, name: string, value: string | undefined): boolean {
  return String(req.headers[name] ?? '').split(',').some((one) => one.trim() === value);
}

function checkedOrigin({ protocol, host }: Address): string | undefined {
  return host !== undefined && HOST.test(host) ? `${protocol}://${host}` : undefined;
}
