import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Runs the collector now. A full collection, unless `type` is `'minor'`. */
export const collectGarbage = runInNewContext('gc') as (how?: { readonly type: 'minor' | 'major' }) => void;

/** Runs the collector after this turn of the event loop. A WeakRef keeps its target until the turn in which it was made ends. */
export async function collectAfterThisTurn(): Promise<void> {
  await new Promise((resolve) => { setImmediate(resolve); });
  collectGarbage();
}
