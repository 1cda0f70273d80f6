/** With scripts off npx may run another version than it was asked for, without a word. */
export function expectRuntime() {
  const [name, version] = (process.env.EXPECTED_RUNTIME ?? '').split('@');
  if (name === '') return;
  const actual =
    name === 'bun' ? globalThis.Bun?.version : name === 'deno' ? globalThis.Deno?.version.deno : process.versions.node;
  if (actual !== version) throw new Error(`expected ${name} ${version}, got ${actual}`);
}
