import { expect, test } from 'vitest';
import { Harness } from '../support/harness.js';

const ODD = { status: 'odd' as never };
const version = ({ row }: { row: { version: string } }): string => row.version;

test("with 'keepLastGood' and nothing good yet, a use after an invalid edit does not get the version before", async () => {
  const h = new Harness({ keepLastGood: true });
  h.rows.put('a');
  const create = h.holdCreate();
  const before = h.registry.use('a', version);
  await h.settle();
  h.rows.put('a', ODD);
  await expect(h.registry.use('a', version)).rejects.toMatchObject({ code: 'INVALID_RECORD' });
  create.resolve();
  await expect(before).resolves.toBe('v1');
  await h.settle();
  expect(h.log).toEqual(['create a@v1', 'dispose a@v1 replaced']);
});

test("with 'keepLastGood', a use after an invalid edit gets the last good version, not one that is being created", async () => {
  const h = new Harness({ keepLastGood: true });
  h.rows.put('a');
  await h.registry.use('a', () => {});
  h.rows.put('a');
  const create = h.holdCreate();
  const between = h.registry.use('a', version);
  await h.settle();
  h.rows.put('a', ODD);
  await expect(h.registry.use('a', version)).resolves.toBe('v1');
  create.resolve();
  await expect(between).resolves.toBe('v2');
});
