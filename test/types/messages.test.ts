import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Each mistake, and the text by which the compiler's message tells its author what to do. */
const MISTAKES: { mistake: string; told: string }[] = [
  {
    mistake:
      'new ConnectionRegistry({ store: raw, recordSchema: z.object({ token: z.string() }), factory: { create: () => 1 } });',
    told: "is missing the following properties from type 'ConnectionRecord': id, version, status",
  },
  {
    mistake:
      "new ConnectionRegistry({ store: raw, recordSchema: z.object({ id: z.string(), status: z.enum(['active', "
        + "'stopped']) }), factory: { create: () => 1 } });",
    told: "Property 'version' is missing in type",
  },
  { mistake: 'new ConnectionRegistry({ store, factory: { dispose() {} } });', told: "Property 'create' is missing in type" },
  { mistake: 'new ConnectionRegistry({ factory: { create: () => 1 } });', told: "Property 'store' is missing in type" },
  {
    mistake: 'new ConnectionRegistry({ store, factory: { create: () => 1, handleWebhook: () => new Response() } });',
    told: "Property 'authenticate' is missing in type",
  },
  {
    mistake: 'new ConnectionRegistry({ store, maxInstance: 5, factory: { create: () => 1 } });',
    told: "Did you mean to write 'maxInstances'?",
  },
  { mistake: 'new ConnectionRegistry({ store, factory: { create: (record) => record.tokn } });', told: "Did you mean 'token'?" },
];

let folder: string;
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'hydrant-messages-')); });
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the message about a mistake names what is missing', async () => {
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  const head = [
    "import { ConnectionRegistry, MemoryStore, type ConnectionStore } from 'hydrant';", "import * as z from 'zod';",
    'declare const raw: ConnectionStore;', "const store = new MemoryStore([{ id: 'a', token: 't' }]);", '',
  ];
  await Promise.all(
    MISTAKES.map(({ mistake }, index) => writeFile(join(folder, `mistake${index}.ts`), `${head.join('\n')}${mistake}\n`)),
  );
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      target: 'ES2022', lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable'], module: 'NodeNext', types: ['node'],
      strict: true, noEmit: true, skipLibCheck: true, paths: { hydrant: [join(ROOT, 'src/index.ts')] },
    },
    include: ['*.ts'],
  }));
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'node_modules/ts7/bin/tsc'), '-p', folder, '--pretty', 'false'],
      { cwd: folder, maxBuffer: 2 ** 24 },
      (_error, stdout) => resolve(stdout),
    );
  });
  const messages = MISTAKES.map((_, index) => new RegExp(`^mistake${index}\\.ts[^]*?(?=^\\S|$(?![^]))`, 'gm')).map((own) =>
    (output.match(own) ?? []).join(''),
  );
  for (const [index, { mistake, told }] of MISTAKES.entries()) expect(messages[index], mistake).toContain(told);
});
