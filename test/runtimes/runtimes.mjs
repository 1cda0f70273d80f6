const npx = (specifier, ...command) => ['npx', ['--yes', '--package', specifier, ...command]];
const node = (version) => ['esm', 'cjs'].map((kind) => ({
  name: `Node ${version}`, kind, expected: `node@${version}`,
  command: npx(`node@${version}`, 'node', '--test', kind === 'esm' ? 'portable.mjs' : 'portable.cjs'),
}));

/** What the package is said to run on: the README's table is held to this list. */
export const RUNTIMES = [
  ...['20.19.0', '22.23.3', '24.21.0', '26.10.0'].flatMap(node),
  { name: 'Bun 1.4.5', kind: 'esm', expected: 'bun@1.4.5', command: npx('bun@1.4.5', 'bun', 'test', './portable.mjs') },
  { name: 'Bun 1.4.5', kind: 'cjs', expected: 'bun@1.4.5', command: npx('bun@1.4.5', 'bun', 'test', './portable.cjs') },
  { name: 'Deno 2.9.6', kind: 'esm', expected: 'deno@2.9.6', command: npx('deno@2.9.6', 'deno', 'test', '-A', '--no-check', './portable.mjs') },
  { name: 'Deno 2.9.6', kind: 'cjs', expected: 'deno@2.9.6', command: npx('deno@2.9.6', 'deno', 'test', '-A', '--no-check', './portable.cjs') },
  { name: 'workerd 1.20261117.1', kind: 'esm', expected: '', command: npx('workerd@1.20261117.1', 'workerd', 'test', 'workerd.capnp') },
];
