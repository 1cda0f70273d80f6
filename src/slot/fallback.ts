import type { ConnectionRecord } from '../contracts/record.js';
import { isHydrating, type Slot } from './state.js';

/** The live slot that serves now: the current one, or with `keepLastGood` the one that it falls back on. */
export function servingOf<R extends ConnectionRecord, I>(current: Slot<R, I> | undefined): Slot<R, I> | undefined {
  if (current === undefined || current.state.kind === 'live') return current;
  // A successor drops its fallback as soon as that stops being live, so this one is live.
  return isHydrating(current.state) ? current.state.fallback : undefined;
}

/** A slot, and the one that it falls back on if there is one. */
export function withFallback<R extends ConnectionRecord, I>(slot: Slot<R, I>): readonly Slot<R, I>[] {
  const serving = servingOf(slot);
  return serving === undefined || serving === slot ? [slot] : [slot, serving];
}
