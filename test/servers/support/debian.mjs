import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findExecutable, run } from './process.mjs';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/hydrant-servers/', import.meta.url));

/**
 * Unpacks Debian packages, without installing anything, and gives back the folder they are in.
 *
 * @throws Error when this is no Debian or its packages cannot be had
 */
export async function unpackDebian(name, packages) {
  const target = join(CACHE, name);
  if (existsSync(target)) return target;
  if (findExecutable('apt-get') === undefined) throw new Error('there is no apt-get on this machine');
  await mkdir(CACHE, { recursive: true });
  const work = await mkdtemp(join(CACHE, 'unpacking-'));
  try {
    const download = () => run('apt-get', ['download', ...packages], { cwd: work, env: { ...process.env, LC_ALL: 'C' } });
    await download().catch(async (error) => {
      // A fresh image has no package lists.
      if (process.getuid?.() !== 0) throw error;
      await run('apt-get', ['update']);
      await download();
    });
    const root = join(work, 'root');
    for (const file of await readdir(work)) {
      if (file.endsWith('.deb')) await run('dpkg', ['-x', file, root], { cwd: work });
    }
    // Another run may have been faster: its folder is as good.
    await rename(root, target).catch((error) => { if (!existsSync(target)) throw error; });
    return target;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The folders of the libraries of unpacked packages. */
export function libraryPath(root) {
  const machine = { x64: 'x86_64', arm64: 'aarch64' }[process.arch] ?? process.arch;
  return ['usr/lib', 'lib'].map((folder) => join(root, folder, `${machine}-linux-gnu`)).join(':');
}
