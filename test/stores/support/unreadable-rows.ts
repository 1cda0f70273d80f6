/** Values under which Redis holds no record. */
export const UNREADABLE_ROWS: readonly { readonly what: string; readonly row: string }[] = [
  { what: 'no version', row: '{"status":"active"}' },
  { what: 'an empty version', row: ' {"status":"active"}' },
  { what: 'no JSON', row: '1-a {' },
  { what: 'no object', row: '1-a 7' },
  { what: 'null', row: '1-a null' },
  { what: 'no status', row: '1-a {"token":"secret"}' },
  { what: 'another status', row: '1-a {"status":"error"}' },
];
