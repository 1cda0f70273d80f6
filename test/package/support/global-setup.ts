import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The file that `npm pack` made. */
    tarball: string;
    /** A folder in which the tarball was installed as an application does, with nothing beside it. */
    application: string;
  }
}

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const run = promisify(execFile);

/** Builds if necessary, packs, and installs into an empty folder, so the tests see the published files. */
export default async function setup(project: TestProject): Promise<() => void> {
  if (!isBuilt()) await run(process.execPath, [join(ROOT, 'node_modules/tsup/dist/cli-default.js')], { cwd: ROOT });
  const folder = mkdtempSync(join(tmpdir(), 'hydrant-package-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const npm = (args: string[], cwd: string): Promise<{ stdout: string }> =>
      run('npm', [...args, '--no-audit', '--no-fund', '--no-update-notifier'], { cwd });
    const { stdout } = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], ROOT);
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    const tarball = join(folder, filename);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'application', private: true }));
    await npm(['install', '--ignore-scripts', '--prefer-offline', '--no-package-lock', tarball], folder);
    project.provide('tarball', tarball);
    project.provide('application', folder);
    return remove;
  } catch (error) {
    remove();
    throw error;
  }
}

/** Whether every file that `package.json` exports is there, declarations too, and no older than its sources. */
function isBuilt(): boolean {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { exports: object };
  const exported = JSON.stringify(exports).match(/dist\/[^"]+/g) ?? [];
  const built = exported.map((path) => statSync(join(ROOT, path), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => join(ROOT, 'src', path));
  const made = [...sources, join(ROOT, 'tsup.config.ts'), join(ROOT, 'package.json')].filter(
    (path) => existsSync(path) && statSync(path).isFile(),
  );
  return Math.min(...built) >= Math.max(...made.map((path) => statSync(path).mtimeMs));
}
