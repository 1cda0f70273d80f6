import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** README and the guides, which the package contains. */
export async function documents(): Promise<string[]> {
  const guides = await readdir(`${root}examples/guides`).catch(() => []);
  return ['README.md', ...guides.filter((name) => name.endsWith('.md')).map((name) => `examples/guides/${name}`)];
}

/** Also the pages that only the repository has. */
export async function everythingToRead(): Promise<string[]> {
  const examples = await readdir(`${root}examples`, { recursive: true });
  return [
    ...(await documents()),
    'CHANGELOG.md',
    '.github/CONTRIBUTING.md',
    '.github/SECURITY.md',
    'test/mutation/README.md',
    'test/runtimes/README.md',
    ...examples.filter((path) => /^[^/]+\/README\.md$|^README\.md$/.test(path)).map((path) => `examples/${path}`),
  ];
}
