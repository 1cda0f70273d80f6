import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { createDatabase } from './support/databases.js';

const SUPPORT = new URL('./support/', import.meta.url);

/** Starts servers in a process of its own, which then does as `end` says. Returns its report. */
async function starter(end: string): Promise<{ pid: number; folder: string }> {
  const script = `
    import { startPostgres } from '${new URL('postgres.mjs', SUPPORT).href}';
    delete process.env.TEST_DATABASE_URL;
    const server = await startPostgres();
    console.log(JSON.stringify({ pid: server.pid, folder: server.folder }));
    ${end}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  let told: { pid: number; folder: string } | undefined;
  for await (const line of createInterface(child.stdout)) told = JSON.parse(line) as { pid: number; folder: string };
  if (told === undefined) throw new Error('the starter told nothing');
  return told;
}

/** A zombie has ended too: it waits only for its parent to ask. */
async function running(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
  } catch {
    return false;
  }
}

describe('test servers', () => {
  test('give every test file an empty PostgreSQL database and drop it afterwards', async () => {
    let url: string;
    {
      await using database = await createDatabase();
      url = database.url;
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const { rows } = await client.query<{ n: number }>(
        `select count(*)::int n from pg_class where relnamespace = 'public'::regnamespace`,
      );
      expect(rows).toEqual([{ n: 0 }]);
      await client.end();
    }
    await expect(new pg.Client({ connectionString: url }).connect()).rejects.toMatchObject({ code: '3D000' });
    expect(inject('postgresUrl')).toMatch(/^postgres/);
  });

  test.each([
    { how: 'stops them', end: 'await server.stop();' },
    { how: 'just ends', end: '' },
    { how: 'throws', end: 'throw undefined;' },
    { how: 'is killed', end: `process.kill(process.pid, 'SIGKILL');` },
    {
      how: 'is interrupted',
      end: `process.kill(process.pid, 'SIGINT'); await new Promise((resolve) => setTimeout(resolve, 5000));`,
    },
  ])('leave no process and no file behind when their starter $how', async ({ end }) => {
    const { pid, folder } = await starter(end);
    await expect.poll(async () => (await running(pid)) || existsSync(folder), { timeout: 15_000, interval: 50 }).toBe(false);
  });
});
