const npx = (specifier, ...command) => ['npx', ['--yes', '--package', specifier, ...command]];
const node = (version) => ['esm', 'cjs'].map((kind) => ({
  name: `Node ${version}`, kind, expected: `node@${version}`,
  command: npx(`node@${version}`, 'node', '--test', kind === 'esm' ? 'portable.mjs' : 'portable.cjs'),
}));

/** The versions of Node that the package supports: the oldest, and the newest of each line. */
export const NODE_VERSIONS = ['20.19.0', '22.23.3', '24.21.0', '26.10.0'];

/** A supported version of another line than this one: each day another. */
export function otherVersion(current, time) {
  const others = NODE_VERSIONS.filter((version) => version.split('.')[0] !== current.split('.')[0]);
  return others[Math.floor(time / 86_400_000) % others.length];
}

/** The supported runtimes. A test compares the README's table with this list. */
export const RUNTIMES = [
  ...NODE_VERSIONS.flatMap(node),
  { name: 'Bun 1.4.5', kind: 'esm', expected: 'bun@1.4.5', command: npx('bun@1.4.5', 'bun', 'test', './portable.mjs') },
  { name: 'Bun 1.4.5', kind: 'cjs', expected: 'bun@1.4.5', command: npx('bun@1.4.5', 'bun', 'test', './portable.cjs') },
  {
    name: 'Deno 2.9.6',
    kind: 'esm',
    expected: 'deno@2.9.6',
    command: npx('deno@2.9.6', 'deno', 'test', '-A', '--no-check', './portable.mjs'),
  },
  {
    name: 'Deno 2.9.6',
    kind: 'cjs',
    expected: 'deno@2.9.6',
    command: npx('deno@2.9.6', 'deno', 'test', '-A', '--no-check', './portable.cjs'),
  },
  {
    name: 'workerd 1.20261117.1',
    kind: 'esm',
    expected: '',
    command: npx('workerd@1.20261117.1', 'workerd', 'test', 'workerd.capnp'),
  },
];
