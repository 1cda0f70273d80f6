// Runs one kind of proof on new seeds, prints them first, and fails on a finding with the command that replays it:
//   node test/nightly/run.mjs claims
//   node test/nightly/run.mjs simulation --count 1000
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

/** How many programs or inputs a night has, and how they are run from a seed on. */
const KINDS = {
  simulation: {
    count: 300_000,
    replay: (seed, count) => `npm run proof:simulation -- --seed ${seed} --count ${count} --workers 2`,
  },
  claims: { count: 30_000, replay: (seed, count) => `npm run proof:claims -- --seed ${seed} --count ${count}` },
  fuzz: {
    count: 20_000,
    replay: (seed, count) =>
      `FUZZ_SEED=${seed} FUZZ_COUNT=${count} npx vitest run --project unit test/fuzz --testTimeout 1800000`,
  },
};

const {
  values,
  positionals: [name = ''],
} = parseArgs({ allowPositionals: true, options: { count: { type: 'string' }, seed: { type: 'string' } } });
const kind = KINDS[name];
if (kind === undefined) throw new Error(`expected one of ${Object.keys(KINDS).join(', ')}, got '${name}'`);
const count = Number(values.count ?? kind.count);
// Far from the fixed seeds of CI. The generators take 32 bits.
const seed = Number(values.seed ?? randomInt(1_000_000_000, 2_147_000_000));
if (!Number.isSafeInteger(count) || !Number.isSafeInteger(seed))
  throw new Error(`expected integers, got count ${values.count}, seed ${values.seed}`);
const command = kind.replay(seed, count);

console.log(`${name}: ${count} from seed ${seed}`);
const child = spawn('bash', ['-c', command], { stdio: 'inherit' });
const [code] = await once(child, 'exit');
if (code !== 0) {
  console.log(`::error title=${name} has a finding::replay it with: ${command}`);
  process.exitCode = 1;
}
