import { generate } from './generate.js';
import type { Program } from './program.js';
import { run, type RegistryClass } from './run.js';
import { shrink } from './shrink.js';

export interface Finding {
  readonly seed: number;
  readonly kind: 'uses' | 'webhooks';
  readonly report: string;
  readonly guarantee: string;
}

export interface Campaign {
  readonly kind: 'uses' | 'webhooks';
  readonly from: number;
  readonly count: number;
  /** Stop at this many findings. */
  readonly findings?: number;
  /** Every how many programs one is run a second time, and must take the same course. */
  readonly replayEvery?: number;
  readonly shrinking?: boolean;
}

/** Runs the programs of many seeds in a row. */
export async function campaign(
  Registry: RegistryClass,
  { kind, from, count, findings = 1, replayEvery = 0, shrinking = true }: Campaign,
): Promise<Finding[]> {
  const found: Finding[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const program = generate(seed, kind);
    const replayed = replayEvery > 0 && seed % replayEvery === 0;
    const { violation, trace } = await run(program, Registry, { trace: replayed });
    if (violation !== undefined) {
      found.push({
        seed,
        kind,
        guarantee: violation.guarantee,
        report: await explain(program, Registry, violation.guarantee, kind, shrinking),
      });
      if (found.length >= findings) break;
    } else if (replayed) {
      const again = await run(program, Registry, { trace: true });
      const index = again.trace.findIndex((line, at) => line !== trace[at]);
      if (index >= 0 || again.trace.length !== trace.length) {
        found.push({
          seed,
          kind,
          guarantee: 'replay',
          report: `seed ${seed} (${kind}) took another course the second time:\n${trace[index]}\n${again.trace[index]}`,
        });
      }
    }
  }
  return found;
}

/** The smallest program, its trace and its violations: everything that a reader needs. */
async function explain(
  program: Program,
  Registry: RegistryClass,
  guarantee: string,
  kind: string,
  shrinking: boolean,
): Promise<string> {
  // Some combinations of options are refused: then there is nothing to see.
  const fails = (candidate: Program): Promise<boolean> =>
    run(candidate, Registry).then(
      ({ violation }) => violation?.guarantee === guarantee,
      () => false,
    );
  const small = shrinking ? await shrink(program, fails) : program;
  const { trace, violation } = await run(small, Registry, { trace: true });
  return [
    `${violation?.guarantee}: ${violation?.what}`,
    `seed ${program.seed} (${kind}), ${program.steps.length} steps, shrunk to ${small.steps.length}`,
    `replay: node test/properties/run.mjs --kind ${kind} --seed ${program.seed} --count 1`,
    print(small),
    ...trace.map((line) => `  ${line}`),
  ].join('\n');
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (part === Number.POSITIVE_INFINITY ? 'Infinity' : part));

export function print({ settings, plans, steps, ending }: Program): string {
  return [
    `settings ${shown(settings)}`,
    `plans ${shown(plans)}`,
    ...steps.map(({ op, hops }) => `step ${shown(op)} then ${hops}`),
    `ending ${ending}`,
  ].join('\n');
}
