/**
 * Whether a row was checked so recently that it may be used without a read.
 *
 * @param now - monotonic, milliseconds; the same for `checkedAt`, which is when the read was sent
 */
export function isFresh(slot: { readonly checkedAt: number }, now: number, maxStaleMs: number): boolean {
  return now - slot.checkedAt <= maxStaleMs;
}
