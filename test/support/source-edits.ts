import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import { functionsOf, replaceIn } from './source-text.mjs';

/** A deliberate change of one place in `src`, anchored by the name of the function that holds it. */
export interface SourceEdit {
  /** `Slots.release`, `Slots.#dispose`, or `parseRow` outside of a class. */
  readonly in: string;
  readonly find: string;
  readonly replace: string;
}

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** An esbuild plugin that builds `src` with these changes. @throws Error where an anchor is not found exactly once */
export function editing(edits: readonly SourceEdit[]): Plugin {
  const changed = new Map<string, string>();
  for (const edit of edits) {
    const [path, text] = edited(edit, changed);
    changed.set(path, text);
  }
  return {
    name: 'source-edits',
    setup({ onLoad }) {
      onLoad({ filter: /src[\\/].*\.ts$/ }, ({ path }) => {
        const contents = changed.get(path);
        return contents === undefined ? undefined : { contents, loader: 'ts' };
      });
    },
  };
}

/** The file that the edit is for, and its new text. No file is named, so a function can move without its mutants. */
function edited({ in: name, find, replace }: SourceEdit, changed: ReadonlyMap<string, string>): [path: string, text: string] {
  const places: [path: string, text: string][] = [];
  const failures: string[] = [];
  for (const [path, { text, names }] of sources()) {
    if (!names.has(name)) continue;
    try {
      places.push([path, replaceIn(changed.get(path) ?? text, name, find, replace)]);
    } catch (error) {
      failures.push(String(error));
    }
  }
  const [place] = places;
  if (place !== undefined && places.length === 1) return place;
  throw new Error(`${places.length} files of src have ${find} in ${name}: has it a new name? ${failures.join('; ')}`);
}

let read: ReadonlyMap<string, { readonly text: string; readonly names: ReadonlySet<string> }> | undefined;

function sources(): NonNullable<typeof read> {
  read ??= new Map(
    readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => {
        const text = readFileSync(join(SRC, path), 'utf8');
        return [join(SRC, path), { text, names: new Set(functionsOf(text).map(({ name }) => name)) }];
      }),
  );
  return read;
}
