import { expect, test } from 'vitest';
import { PostgresStore } from 'hydrant/postgres';

const client = { query: async () => ({ rows: [] }) };

test.each([
  { option: 'tabel', options: { client, tabel: 'bots' } },
  {
    option: 'columns.statuss',
    options: { client, mapRow: (row: object) => row, columns: { config: ['token'], statuss: 'state' } },
  },
])('a mistyped $option is refused instead of replaced by the default', ({ option, options }) => {
  expect(() => new PostgresStore(options as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTIONS', message: `PostgresStore: does not know the option ${option}` }),
  );
});
