import type { ConnectionRecord } from '../contracts/record.js';
import type { Attempt } from './attempt.js';
import type { Offer } from './claims/contract.js';
import type { TenureEnd } from './events.js';
import { claimLost } from './tenure.js';

/*
 * One connection that this replica has claimed, from the answer to the claim until its release.
 *
 *   queued ───▶ working ───▶ stopping ───▶ settled      then the runner releases the claim and forgets the holding
 *     ▲            │          │  │   │        ▲
 *     ├── restart ─┼──────────┘  │   └─▶ stuck┘         it did not stop in time
 *     │            ▼             │
 *     └───────── waiting ◀─ retry┘                       back-off; the claim is kept
 *
 *   (A queued or waiting holding settles at once when it is to end.)
 *
 *   queued    claimed, and waits for its turn to start. Nothing runs.
 *   working   one attempt is under way: lease, provision, run. Only here may a loop run that was not asked to stop.
 *   stopping  the attempt's signal has aborted, and it has not settled. The claim is still renewed if it is ours.
 *   stuck     the attempt has not settled within stopTimeoutMs. The claim is neither renewed nor released: it runs out.
 *             The id stays occupied here, so that this process never runs two loops for it.
 *   waiting   the last attempt failed. The claim is kept until the next one.
 *   settled   nothing runs and nothing will.
 *
 * Invariants
 *   1. At most one attempt exists per holding, and at most one holding per id in a runner.
 *   2. settled is reached only when every attempt has settled: stop first, then release.
 *   3. The validity ends (assertHeld throws) no later than settled is reached.
 *   4. A holding is renewed only while its claim is valid: never when stuck, settled, lost or expired.
 *   5. A more final ending replaces a less final one, never the other way round: restart < retry < release < expired
 *      < lost.
 *
 * Between two awaits of an attempt anything may happen: the answer of a renewal (lost), the deadline (expired), an edit
 * (restart), a hand-over or stop (release). Each of them only notes the ending and aborts the attempt's signal. One
 * place decides what follows, when the attempt has settled.
 */
export type HoldingState<R extends ConnectionRecord, I> =
  | { readonly kind: 'queued'; readonly leave: () => void }
  | { readonly kind: 'working'; readonly attempt: Attempt<R, I> }
  | { readonly kind: 'stopping'; readonly attempt: Attempt<R, I>; readonly ending: Ending; readonly cancel: () => void }
  | { readonly kind: 'stuck'; readonly attempt: Attempt<R, I>; readonly ending: Ending }
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | { readonly kind: 'settled'; readonly ending: Ending };

/** Why an attempt is to stop, which decides what follows. */
export type Ending =
  | { readonly kind: 'restart' }
  | { readonly kind: 'retry'; readonly error: unknown }
  | { readonly kind: 'release'; readonly reason: TenureEnd; readonly offer?: (() => Offer | undefined) | undefined }
  | { readonly kind: 'expired' }
  | { readonly kind: 'lost' };

/** How final an ending is. */
export const FINALITY: Readonly<Record<Ending['kind'], number>> = { restart: 0, retry: 1, release: 2, expired: 3, lost: 4 };

/** Whether the holding is over, rather than trying again. */
export const isFinal = (ending: Ending): boolean => FINALITY[ending.kind] >= FINALITY.release;

/** The reason with which the tenure's signal aborts. */
export function reasonOf(ending: Ending, id: string): Error {
  if (ending.kind === 'lost' || ending.kind === 'expired') return claimLost(id);
  return new DOMException(
    `The tenure of '${id}' is over (${ending.kind === 'release' ? ending.reason : ending.kind})`,
    'AbortError',
  );
}
