/** A header that only a script of the page's own origin can send without asking first. */
export const OWN_HEADER = 'x-hydrant-inspector';

/**
 * Whether a request that changes something comes from the page itself. Browsers send the origin of a request
 * (`Sec-Fetch-Site`, and `Origin` on every POST). A request with neither header does not come from the page.
 */
export function isFromOwnPage(request: Request): boolean {
  const { headers } = request;
  if (headers.get(OWN_HEADER) === null) return false;
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  const origin = headers.get('origin');
  // The scheme may differ where a proxy ends TLS; the host may not.
  return origin !== null && URL.canParse(origin) && new URL(origin).host === new URL(request.url).host;
}

/**
 * Whether a request was sent to one of these hosts. The scheme is not compared, because a proxy may end TLS, so both
 * default ports count as none.
 */
export function isToHost(request: Request, hosts: readonly string[]): boolean {
  const host = new URL(request.url).host.replace(/:(80|443)$/, '');
  return hosts.some((allowed) => allowed.toLowerCase().replace(/:(80|443)$/, '') === host);
}

/** The headers of every response. They keep the page out of caches, frames and other origins. */
export function securityHeaders(
  contentType: string,
  policy = "default-src 'none'; frame-ancestors 'none'",
): Record<string, string> {
  return {
    'content-type': contentType,
    'content-security-policy': policy,
    'cache-control': 'no-store',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  };
}

export function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { ...securityHeaders('text/plain; charset=utf-8'), ...headers } });
}
