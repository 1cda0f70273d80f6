import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';

/** The folder in which the packed package was installed with nothing beside it. */
export const application = inject('application');

/** The installed package. */
export const installed = join(application, 'node_modules/hydrant');

/** The manifest as it was packed. */
export const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly exports: Readonly<
    Record<string, string | Readonly<Record<'import' | 'require', { readonly types: string; readonly default: string }>>>
  >;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
};

/** Every entry with code: the name it is imported by, and its files. */
export const entries = Object.entries(manifest.exports).flatMap(([path, files]) =>
  typeof files === 'string'
    ? []
    : [{ name: posix.join('hydrant', path), esm: files.import.default, cjs: files.require.default, types: files.import.types }],
);

/** Every file of the package, with `/` between folders. */
export const files = readdirSync(installed, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => posix.relative(installed, join(entry.parentPath, entry.name).replaceAll('\\', '/')));

export const text = (file: string): string => readFileSync(join(installed, file), 'utf8');

const execute = promisify(execFile);

/** Runs a module of the application, ESM or CommonJS, and gives back the JSON it prints. */
export async function evaluate(kind: 'module' | 'commonjs', source: string): Promise<unknown> {
  const { stdout, stderr } = await execute(process.execPath, [`--input-type=${kind}`, '--eval', source], { cwd: application });
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/** The imports of a built file. Files of its own package are given by their paths. */
export function importsOf(file: string): { own: string[]; foreign: string[] } {
  const specifiers = [...text(file).matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\(\s*)(["'])([^"'\n]+)\1/g)].map(
    (match) => match[2] as string,
  );
  return {
    own: specifiers.filter((one) => one.startsWith('.')).map((one) => posix.join(posix.dirname(file), one)),
    foreign: specifiers.filter((one) => !one.startsWith('.')),
  };
}

/** Every package and module of Node that comes along with a file. */
export function comesWith(file: string): Set<string> {
  const reached = new Set([posix.normalize(file)]);
  const foreign = new Set<string>();
  for (const path of reached) {
    const imports = importsOf(path);
    for (const one of imports.own) reached.add(one);
    for (const one of imports.foreign) foreign.add(one);
  }
  return foreign;
}
