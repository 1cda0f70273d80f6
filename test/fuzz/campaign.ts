import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { answering } from '../adapters/support/servers.js';
import type { Random } from '../properties/simulation/random.js';
import { oddResponse } from './odd-responses.js';
import { startUpstream } from './odd-upstream.js';

/** How many requests a fuzzing test sends, and the seed they are made from. */
export const campaignOf = (usual: number): { readonly count: number; readonly seed: number } => ({
  count: Number(process.env['FUZZ_COUNT'] ?? usual),
  seed: Number(process.env['FUZZ_SEED'] ?? 1),
});

/** Collects unhandled rejections and exceptions until the test has finished. */
export function collectUnhandled(): readonly unknown[] {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  process.on('unhandledRejection', note).on('uncaughtException', note);
  onTestFinished(() => void process.off('unhandledRejection', note).off('uncaughtException', note));
  return unhandled;
}

/** Answers `witness…` with the id in brackets, and every other id with an odd response, partly from a server of its own. */
export function useOddHandler(): (random: Random) => Parameters<typeof answering>[0] {
  let upstream: Awaited<ReturnType<typeof startUpstream>>;
  beforeAll(async () => { upstream = await startUpstream(); });
  afterAll(() => upstream.close());
  return (random) => (_request, id) =>
    id.startsWith('witness') ? new Response(`(${id})`) : oddResponse(random, id, upstream.url);
}
