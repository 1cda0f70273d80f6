import { securityHeaders } from './guard.js';

/** The parts of a self-contained page. All but the title are markup, style and script of ours, and are sent as they are. */
export interface HtmlParts {
  readonly title: string;
  readonly style: string;
  readonly script: string;
  readonly body: string;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] as string);

/** A page under a strict Content-Security-Policy. A nonce admits its own style and script, and nothing else loads. */
export function htmlResponse({ title, style, script, body }: HtmlParts): Response {
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(18))));
  const policy =
    `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; `
    + `form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'`;
  return new Response(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style nonce="${nonce}">${style}</style>
</head>
<body>
${body}
<script nonce="${nonce}">${script}</script>
</body>
</html>
`, { headers: securityHeaders('text/html; charset=utf-8', policy) });
}
