import type { ConnectionStatus } from '../../contracts/record.js';
import { ConnectionError } from '../../errors.js';
import { fieldsOf, invalidDraft, invalidRow, jsonOf, draftStatus, type Draft, type StoredRecord } from '../drafts.js';
import type { TableFacts } from './catalogue.js';
import { OWN_DATA_COLUMN, type Layout } from './layout.js';
import type { PostgresStoreOptions } from './options.js';
import { ID, isPossibleId, STATUS, VERSION, VISIBLE } from './queries.js';

type Row = Readonly<Record<string, unknown>>;

/** Turns a row into a record. Returns an error instead of throwing one, because other rows are not affected. */
export function recordOf<D extends object>(
  row: Row,
  mapRow: PostgresStoreOptions<D>['mapRow'],
): StoredRecord | ConnectionError<'INVALID_RECORD'> {
  const { [ID]: id, [VERSION]: version, [STATUS]: status, [VISIBLE]: _, ...columns } = row;
  try {
    const fields: unknown = mapRow === undefined ? JSON.parse(columns[OWN_DATA_COLUMN] as string) : mapRow(columns);
    if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
      throw new TypeError(
        mapRow === undefined ? `expected a JSON object in ${OWN_DATA_COLUMN}` : 'expected an object from mapRow',
      );
    }
    return { ...fields, id: id as string, version: version as string, status: status as ConnectionStatus };
  } catch (cause) {
    return invalidRow(String(id), cause);
  }
}

/**
 * A record to its row.
 *
 * @throws ConnectionError `INVALID_CONNECTION_ID`, `INVALID_RECORD`; `INVALID_OPTIONS` where a mapped table has no `toRow`
 */
export function rowOf<D extends object>(
  draft: Draft<D>,
  layout: Layout,
  facts: TableFacts,
  toRow: PostgresStoreOptions<D>['toRow'],
): Row {
  const { id } = draft;
  if (!isPossibleId(facts, id)) {
    throw new ConnectionError(
      'INVALID_CONNECTION_ID',
      `PostgresStore: expected a record with a non-empty ${facts.idType ?? 'text'} without NUL as its id`,
    );
  }
  const status = draftStatus('PostgresStore', draft);
  if (!layout.mapped) {
    return { [layout.idColumn]: id, [layout.statusColumn ?? 'status']: status, [OWN_DATA_COLUMN]: json(id, fieldsOf(draft)) };
  }
  if (toRow === undefined)
    throw new ConnectionError('INVALID_OPTIONS', 'PostgresStore: put on a mapped table needs the option toRow');
  return {
    [layout.idColumn]: id,
    ...(layout.statusColumn === undefined ? {} : { [layout.statusColumn]: status }),
    ...toRow({ ...draft, status }),
  };
}

function json(id: string, fields: object): string {
  const text = jsonOf('PostgresStore', id, fields);
  // jsonb refuses it, and the whole statement with it.
  if (/(?<!\\)(\\\\)*\\u0000/.test(text))
    throw invalidDraft('PostgresStore', id, 'expected no NUL character in its fields, because jsonb cannot hold one');
  return text;
}
