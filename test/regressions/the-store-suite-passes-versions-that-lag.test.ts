import { expect, test } from 'vitest';
import { CompleteStore, EVERYTHING, turns } from '../testing/support/complete-store.js';
import { conformanceFailures } from '../testing/support/conformance.js';

test('a getVersions that shares a query begun before the write fails, even if its answers differ each time', async () => {
  const lagging = (): CompleteStore => {
    const good = new CompleteStore();
    let flight: ReturnType<CompleteStore['getVersions']> | undefined;
    const getVersions = (ids: readonly string[]) =>
      (flight ??= good
        .getVersions(ids)
        .then(async (answer) => {
          await turns(4);
          return answer;
        })
        .finally(() => {
          flight = undefined;
        }));
    return Object.assign(good, { store: { ...good.store, getVersions } });
  };
  expect(
    await conformanceFailures(lagging, EVERYTHING, 'versions: a getVersions that begins after a write was committed sees it'),
  ).toHaveLength(1);
});
