import type { ConnectionRecord } from '../contracts/record.js';
import type { Attempt } from './attempt.js';
import type { Offer } from './claims/contract.js';
import type { TenureEnd } from './events.js';
import { claimLost } from './tenure.js';

/*
 * One connection that this replica has claimed, from the claim's answer to its release.
 *
 *   queued ───▶ working ───▶ stopping ───▶ settled      then the runner releases the claim and forgets the holding
 *     ▲            │          │  │   │        ▲
 *     ├── restart ─┼──────────┘  │   └─▶ stuck┘         it did not stop in time
 *     │            ▼             │
 *     └───────── waiting ◀─ retry┘                       back-off; the claim is kept
 *
 *   (queued and waiting settle at once when they are to end.)
 *
 *   queued    claimed; waits for its turn to start. Nothing runs.
 *   working   one attempt is on: lease, provision, run. The only state in which a loop may be running unasked.
 *   stopping  the attempt's signal has aborted; it has not settled. The claim goes on being renewed, if it is ours.
 *   stuck     it has not settled in stopTimeoutMs. Neither renewed nor released: the claim runs out by itself, and the
 *             id stays occupied here, so that this process never runs two loops for it.
 *   waiting   the last attempt failed; the claim is kept until the next one.
 *   settled   nothing runs and nothing will.
 *
 * Invariants
 *   1. At most one attempt exists per holding, and at most one holding per id in a runner.
 *   2. settled is reached only when no attempt exists that has not settled: stop first, then release.
 *   3. The hold ends (assertHeld throws) at the latest when settled is reached.
 *   4. A holding is renewed only while it holds: never when stuck, settled, lost or expired.
 *   5. A more final ending replaces a less final one, never the other way round: restart < retry < release < expired
 *      < lost.
 *
 * Between two awaits of an attempt anything may have happened: the answer of a renewal (lost), the deadline (expired),
 * an edit (restart), a hand-over or stop (release). All of them only mark the ending and abort the attempt's signal;
 * what follows is decided in one place, when the attempt has settled.
 */
export type HoldingState<R extends ConnectionRecord, I> =
  | { readonly kind: 'queued'; readonly leave: () => void }
  | { readonly kind: 'working'; readonly attempt: Attempt<R, I> }
  | { readonly kind: 'stopping'; readonly attempt: Attempt<R, I>; readonly ending: Ending; readonly cancel: () => void }
  | { readonly kind: 'stuck'; readonly attempt: Attempt<R, I>; readonly ending: Ending }
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'settled'; readonly ending: Ending };

/** Why an attempt is to stop, and what follows when it has. */
export type Ending =
  | { readonly kind: 'restart' }
  | { readonly kind: 'retry'; readonly error: unknown }
  | { readonly kind: 'release'; readonly reason: TenureEnd; readonly offer?: Offer | undefined }
  | { readonly kind: 'expired' }
  | { readonly kind: 'lost' };

/** How final an ending is. */
export const FINALITY: Readonly<Record<Ending['kind'], number>> = { restart: 0, retry: 1, release: 2, expired: 3, lost: 4 };

/** Whether the holding is over, rather than trying again. */
export const isFinal = (ending: Ending): boolean => FINALITY[ending.kind] >= FINALITY.release;

/** What the tenure's signal aborts with. */
export function reasonOf(ending: Ending, id: string): Error {
  if (ending.kind === 'lost' || ending.kind === 'expired') return claimLost(id);
  return new DOMException(`The tenure of '${id}' is over (${ending.kind === 'release' ? ending.reason : ending.kind})`, 'AbortError');
}
