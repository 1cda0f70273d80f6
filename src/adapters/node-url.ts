import type { NodeRequest } from './node-types.js';

/** How the public address of a request is found. */
export interface PublicOrigin {
  readonly origin?: string | undefined;
  readonly trustProxy?: boolean | undefined;
  /** What the framework says, by its own rules of trust. Comes after `origin` and `trustProxy`. */
  readonly framework?: { readonly protocol: string; readonly host: string | undefined } | undefined;
}

/** A host name, IPv4 or bracketed IPv6 address, and perhaps a port. What else a URL may hold has no place in `Host`. */
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/** A request target in absolute form, which names the host itself (RFC 9112, 3.2.2). */
const ABSOLUTE = /^(https?:\/\/)([^/?#]*)(.*)/is;

/**
 * The URL the sender used, with the query as it came, byte for byte: the URL parser rewrites some of it (`'` to `%27`).
 * `undefined` when `Host` or the target is not valid.
 */
export function urlOf(req: NodeRequest, settings: PublicOrigin): string | undefined {
  const target = req.originalUrl ?? req.url ?? '';
  const absolute = ABSOLUTE.exec(target);
  if (absolute === null && !target.startsWith('/')) return undefined;
  const origin = absolute === null ? originOf(req, settings) : settings.origin ?? checkedOrigin(absolute[1]!, absolute[2]);
  if (origin === undefined) return undefined;
  const rest = absolute === null ? target : absolute[3]!;
  try {
    return withQueryOf(rest, new URL(origin + rest));
  } catch {
    return undefined;
  }
}

function withQueryOf(target: string, url: URL): string {
  const query = /^[^?#]*(\?[^#]*)/.exec(target)?.[1] ?? '';
  return url.origin + url.pathname + query + url.hash;
}

function originOf(req: NodeRequest, { origin, trustProxy, framework }: PublicOrigin): string | undefined {
  if (origin !== undefined) return origin;
  const own = trustProxy === undefined && framework !== undefined ? framework : ownAddress(req);
  if (trustProxy !== true) return checkedOrigin(`${own.protocol}://`, own.host);
  const protocol = forwarded(req, 'x-forwarded-proto')?.toLowerCase();
  return checkedOrigin(
    `${protocol === 'http' || protocol === 'https' ? protocol : own.protocol}://`,
    forwarded(req, 'x-forwarded-host') ?? own.host,
  );
}

function ownAddress(req: NodeRequest): { protocol: string; host: string | undefined } {
  const encrypted = 'encrypted' in req.socket && req.socket.encrypted === true;
  return {
    protocol: encrypted ? 'https' : 'http',
    host: req.headers.host ?? (req.headers[':authority'] as string | undefined),
  };
}

/** The first value: what the proxy nearest to the sender saw. */
export function forwarded(req: NodeRequest, name: string): string | undefined {
  const value = req.headers[name];
  const first = (typeof value === 'string' ? value : undefined)?.split(',', 1)[0]!.trim();
  return first === '' ? undefined : first;
}

function checkedOrigin(scheme: string, host: string | undefined): string | undefined {
  return host !== undefined && HOST.test(host) ? scheme + host : undefined;
}
