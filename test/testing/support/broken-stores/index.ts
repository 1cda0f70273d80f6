import { WRONG_BATCHES } from './batches.js';
import type { BrokenStore } from './broken-store.js';
import { WRONG_HINTS } from './hints.js';
import { WRONG_IDS } from './ids.js';
import { WRONG_INVALID_ROWS } from './invalid-rows.js';
import { WRONG_ROWS } from './rows.js';
import { WRONG_VERSIONS } from './versions.js';

/** One store for each way to break the contract, and the conformance test that must fail. */
export const BROKEN_STORES: readonly BrokenStore[] = [
  ...WRONG_ROWS, ...WRONG_IDS, ...WRONG_BATCHES, ...WRONG_VERSIONS, ...WRONG_INVALID_ROWS, ...WRONG_HINTS,
];

/** The oddest ids that a URL can contain. */
export const ODDEST: readonly { readonly what: string; readonly id: string }[] = [
  { what: 'that is half a character', id: '\ud800' },
  { what: 'of 1 024 characters', id: 'x'.repeat(1_024) },
  { what: 'of a single character', id: '*' },
  { what: 'that every object has', id: '__proto__' },
  { what: 'that leads elsewhere', id: '../up' },
];
