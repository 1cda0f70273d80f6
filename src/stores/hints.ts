import type { ClaimHint } from '../exclusive/claims/contract.js';
import { MAX_ID_LENGTH } from '../ids.js';

/*
 * A hint is a JSON list of strings. Anyone who may publish on a channel can send anything, so every store reads hints
 * here.
 */

/** A longer hint is not parsed, because parsing it would hold up the event loop. Characters. */
const MAX_HINT_LENGTH = 1_048_576;

/** The entries of a hint. A malformed hint gives `undefined`, and the listener then assumes that it has missed hints. */
export function parseHint(payload: unknown): readonly string[] | undefined {
  if (typeof payload !== 'string' || payload.length > MAX_HINT_LENGTH) return undefined;
  let entries: unknown;
  try {
    entries = JSON.parse(payload);
  } catch {
    return undefined;
  }
  return Array.isArray(entries) && entries.every(isEntry) ? entries : undefined;
}

const isEntry = (entry: unknown): entry is string => typeof entry === 'string'
  && entry !== '' && entry.length <= MAX_ID_LENGTH && !/[\0\p{Surrogate}]/u.test(entry);

/** The entries of a hint about a release. */
export function releaseEntries({ replica, leave }: { readonly replica: string; readonly leave: boolean }): readonly string[] {
  return leave ? [replica, 'left'] : [replica];
}

/** Reads {@link releaseEntries}. Other entries count as missed hints. */
export function claimHintOf([from, left, ...rest]: readonly string[]): ClaimHint {
  const known = from !== undefined && (left === undefined || left === 'left') && rest.length === 0;
  return known ? { from, left: left === 'left' } : MISSED_RELEASES;
}

/** This replica may have missed releases. */
export const MISSED_RELEASES: ClaimHint = { from: '', left: false };
