/**
 * Draws the rooms of `src` and who imports whom, as CONTRIBUTING shows them: `node test/docs/map.mjs`. The ground, which
 * every room may import, is left out, and so are imports of types alone.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

/** @returns {string} a Mermaid flowchart */
export function map() {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const rooms = new Set(files.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
  for (const file of ['registry.ts', 'closing.ts', 'index.ts', 'options.ts', 'events.ts']) rooms.add(file);
  rooms.delete('contracts');
  const arrows = new Set();
  for (const from of files) {
    const [room] = from.split('/');
    if (!rooms.has(room)) continue;
    for (const [, names, specifier] of readFileSync(join(SRC, from), 'utf8').matchAll(
      /^(?:import|export) ([^;]*?) from '(\.[^']+)';/gm,
    )) {
      const [to] = posix.join(dirname(from), specifier).replace(/\.js$/, '.ts').split('/');
      const isOfTypes =
        /^type\b/.test(names)
        || (/^\{[^}]*\}$/.test(names)
          && names
            .slice(1, -1)
            .split(',')
            .every((name) => /^\s*(type\b|$)/.test(name)));
      if (!isOfTypes && to !== room && rooms.has(to)) arrows.add(`  ${label(room)} --> ${label(to)}`);
    }
  }
  return `flowchart TD\n${[...arrows].toSorted().join('\n')}\n`;
}

/** @param {string} room */
const label = (room) => room.replace('.ts', '');

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(map());
