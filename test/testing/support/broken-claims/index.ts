import type { BrokenClaims } from './breaks.js';
import { WRONG_FORGETTING } from './forgetting.js';
import { WRONG_HAND_OVERS } from './hand-over.js';
import { WRONG_OWNERS } from './ownership.js';
import { WRONG_RENEWALS } from './renewals.js';

export { SETTABLE } from './forgetting.js';

/** Claims for each way to break the contract, and the conformance test that must fail. */
export const BROKEN_CLAIMS: readonly BrokenClaims[] = [
  ...WRONG_OWNERS, ...WRONG_RENEWALS, ...WRONG_HAND_OVERS, ...WRONG_FORGETTING,
];
