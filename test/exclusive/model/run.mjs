// Checks the model of claims exhaustively with spin, and that a deliberate mistake in each rule is found:
//   node test/exclusive/model/run.mjs
//   node test/exclusive/model/run.mjs --faults 4 --mistakes none     the long form: minutes, and gigabytes of memory
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import pLimit from 'p-limit';

const run = promisify(execFile);
const model = fileURLToPath(new URL('claims.pml', import.meta.url));
const { values } = parseArgs({
  options: { faults: { type: 'string', default: '3' }, mistakes: { type: 'string', default: 'all' } },
});
const mistakes = [...(await readFile(model, 'utf8')).matchAll(/^#define (\w+) (\d+) +\/\*/gm)].map(([, name, number]) => ({
  name,
  number,
}));
if (mistakes.length === 0) throw new Error('the model has no mistakes to find');

const folder = await mkdtemp(join(tmpdir(), 'hydrant-model-'));
const began = performance.now();
try {
  const right = await check('0');
  console.log(`${right.states} states after up to ${values.faults} faults: ${right.finding ?? 'safe, and always served again'}`);
  if (right.finding !== undefined) {
    console.log(right.trail);
    process.exitCode = 1;
  }
  const limit = pLimit(2);
  const wanted = values.mistakes === 'all' ? mistakes : [];
  const found = await Promise.all(wanted.map(({ name, number }) => limit(async () => ({ name, ...await check(number) }))));
  for (const { name, finding } of found) console.log(`${name}: ${finding ?? 'NOT FOUND'}`);
  if (found.some(({ finding }) => finding === undefined)) process.exitCode = 1;
  console.log(
    `${found.filter(({ finding }) => finding !== undefined).length} of ${wanted.length} mistakes found, in `
      + `${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Visits every state of the model with one mistake, up to the first finding. */
async function check(mistake) {
  const cwd = join(folder, mistake);
  await mkdir(cwd);
  await run('spin', ['-a', `-DFAULTS=${values.faults}`, `-DMISTAKE=${mistake}`, model], { cwd });
  await run('gcc', [mistake === '0' ? '-O2' : '-O0', '-w', '-DNOREDUCE', '-o', 'pan', 'pan.c'], { cwd });
  const { stdout } = await run('./pan', ['-a', '-m4000000', '-n'], { cwd, maxBuffer: 1e8 });
  if (/max search depth too small|out of memory|Search not completed/.test(stdout) && !/^pan:\d+:/m.test(stdout)) {
    throw new Error(`spin did not visit every state:\n${stdout}`);
  }
  const [, finding] = /^pan:\d+: (.*?)(?: \(at depth \d+\))?$/m.exec(stdout) ?? [];
  const [, states = '0'] = /(\d[\d.e+]*) states, stored/.exec(stdout) ?? [];
  if (finding === undefined || mistake !== '0') return { states: Number(states), finding };
  const { stdout: trail } = await run('spin', ['-t', '-p', '-g', `-DFAULTS=${values.faults}`, model], { cwd, maxBuffer: 1e8 });
  return { states: Number(states), finding, trail };
}
