/** Bytes of an identifier that PostgreSQL keeps (NAMEDATALEN - 1); it cuts the rest off without an error. */
export const MAX_IDENTIFIER_BYTES = 63;

export const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/** Quotes an identifier, whatever characters it has. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a string constant. */
export function literal(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** Quotes a function body, with a tag that does not occur in it. */
export function dollarQuoted(body: string): string {
  for (let n = 0; ; n += 1) {
    const tag = `$hydrant${n}$`;
    if (!body.includes(tag)) return tag + body + tag;
  }
}

/** A name for something that belongs to `base`, cut to what PostgreSQL keeps and still its own. */
export function derivedName(base: string, suffix: string): string {
  const name = base + suffix;
  if (byteLength(name) <= MAX_IDENTIFIER_BYTES) return name;
  const tail = `_${fingerprint(base)}${suffix}`;
  let head = base;
  while (byteLength(head + tail) > MAX_IDENTIFIER_BYTES) head = [...head].slice(0, -1).join('');
  return head + tail;
}

/** FNV-1a, 32 bits: tells texts apart, no more. */
export function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
