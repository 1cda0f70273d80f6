import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'hydrant-reference-')); });
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Documented { readonly comment?: { readonly summary: readonly unknown[] } }
interface Reflection extends Documented { readonly name: string; readonly kind: number; readonly children?: readonly Reflection[]; readonly signatures?: readonly Documented[] }

/** TypeDoc's number for what another entry exports as well, and is described there. */
const REFERENCE = 4_194_304;

test('typedoc renders every entry without a warning, and every export has something to say', async () => {
  const json = join(folder, 'reference.json');
  const { code = 0, stdout, stderr } = await promisify(execFile)(process.execPath, [
    `${root}node_modules/typedoc/bin/typedoc`, '--tsconfig', `${root}test/docs/tsconfig.json`, '--out', join(folder, 'html'), '--json', json, '--logLevel', 'Warn',
  ], { cwd: root, env: { ...process.env, NO_COLOR: '1' } }).catch((error: { code: number; stdout: string; stderr: string }) => error) as { code?: number; stdout: string; stderr: string };
  expect([code, `${stdout}${stderr}`]).toEqual([0, '']);

  const { children: entries = [] } = JSON.parse(await readFile(json, 'utf8')) as Reflection;
  const { exports } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as { exports: Record<string, unknown> };
  const published = Object.keys(exports).filter((path) => path !== './package.json').map((path) => path.replace('.', 'hydrant'));
  expect(entries.map(({ name }) => name).toSorted()).toEqual(published.toSorted());

  const says = ({ comment }: Documented): boolean => (comment?.summary.length ?? 0) > 0;
  const silent = entries.flatMap(({ name: entry, children = [] }) => children
    .filter((one) => one.kind !== REFERENCE && ![one, ...one.signatures ?? []].some(says))
    .map(({ name }) => `${entry}: ${name}`));
  expect(silent).toEqual([]);
  expect(entries.filter((entry) => !says(entry)).map(({ name }) => name)).toEqual([]);
}, 120_000);
