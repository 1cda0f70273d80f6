import type { Plans, Program, Settings } from './program.js';

/** Settings at which nothing special happens: a smaller counter-example differs from them in less. */
const PLAIN: Partial<Settings> = {
  versions: 'number',
  brokenRows: 'unreadable',
  freshness: 'strict',
  staleIfErrorMs: 0,
  storeTimeoutMs: 500,
  acquireTimeoutMs: 5_000,
  maxInstances: 100,
  idleTimeoutMs: Number.POSITIVE_INFINITY,
  maxConcurrentHydrations: 16,
  maxQueuedHydrations: 1000,
  hydrationTimeoutMs: 1_000,
  disposeTimeoutMs: 100,
  drainTimeoutMs: 5_000,
  sweepIntervalMs: 0,
  notFoundTtlMs: 0,
  replacement: 'overlap',
  eviction: 'lru',
  keepLastGood: false,
  closeDrainMs: 300,
  maxUnauthenticated: 20,
  answersLater: false,
  around: false,
};

/**
 * The smallest program found that still fails by the same guarantee: steps are left out in ever smaller runs, settings
 * go back to plain ones, plans become shorter, steps run to rest.
 *
 * @param guarantee - what a candidate violates, if anything
 */
export async function shrink(
  program: Program,
  fails: (candidate: Program) => Promise<boolean>,
  budget = 3_000,
): Promise<Program> {
  let best = program;
  let left = budget;
  const attempt = async (candidate: Program): Promise<boolean> => {
    if (left-- <= 0 || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let before = ''; before !== JSON.stringify(best);) {
    before = JSON.stringify(best);
    for (let size = Math.ceil(best.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let start = best.steps.length - size; start >= 0; start -= size) {
        await attempt({ ...best, steps: best.steps.toSpliced(start, size) });
      }
    }
    for (const [name, value] of Object.entries(PLAIN)) {
      if (best.settings[name as keyof Settings] !== value)
        await attempt({ ...best, settings: { ...best.settings, [name]: value } });
    }
    if (best.settings.backoffMaxMs > 0)
      await attempt({ ...best, settings: { ...best.settings, backoffInitialMs: 0, backoffMaxMs: 0 } });
    for (const [part, plain] of [
      ['store', { getMany: false, getVersions: false, watch: false }],
      ['factory', { secrets: false, acknowledgeAfterMs: undefined, maxConcurrentHydrations: undefined, platforms: 1 }],
    ] as const) {
      for (const [name, value] of Object.entries(plain)) {
        if ((best.settings[part] as Record<string, unknown>)[name] === value) continue;
        await attempt({ ...best, settings: { ...best.settings, [part]: { ...best.settings[part], [name]: value } } });
      }
    }
    for (const kind of Object.keys(best.plans) as (keyof Plans)[]) await shrinkPlan(kind);
    for (let index = 0; index < best.steps.length; index++) {
      const step = best.steps[index]!;
      if (step.hops === 'all') continue;
      for (const hops of ['all', 0, 1, 2] as const) {
        if (await attempt({ ...best, steps: best.steps.with(index, { ...step, hops }) })) break;
        if (hops === step.hops) break;
      }
    }
    if (best.ending === 'stubborn') await attempt({ ...best, ending: 'prompt' });
  }
  return best;

  async function shrinkPlan(kind: keyof Plans): Promise<void> {
    const plain = kind === 'read' ? 'soon' : kind === 'authenticate' ? 'yes' : kind === 'handler' ? 'text' : 'soon';
    const set = (plan: readonly string[]): Program => ({ ...best, plans: { ...best.plans, [kind]: plan } });
    if (best.plans[kind].length > 1 || best.plans[kind][0] !== plain) if (await attempt(set([plain]))) return;
    for (const one of new Set(best.plans[kind])) if (best.plans[kind].length > 1 && (await attempt(set([one])))) return;
    for (let index = 0; index < best.plans[kind].length; index++) {
      if (best.plans[kind][index] !== plain) await attempt(set(best.plans[kind].with(index, plain as never)));
    }
  }
}
