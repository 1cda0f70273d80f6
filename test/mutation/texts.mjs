import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** Functions of ours that fail with a text, and which argument that is. */
const FAILING = new Map([
  ['eventually', 0], ['told', 0], ['promised', 1], ['check', 0], ['shape', 0], ['looseShape', 0], ['optionsShape', 0],
  ['expecting', 0], ['withMethods', 0], ['becomes', 0],
]);

/**
 * Leaves the messages of errors and assertions alone: `new Error(message)`, `new ConnectionError(code, message)`,
 * `assert.ok(holds, message)`; and the texts of Lua, which only a Redis runs.
 */
const texts = {
  shouldIgnore(path) {
    if (!path.isStringLiteral() && !path.isTemplateLiteral()) return undefined;
    if (path.isTemplateLiteral() && path.node.quasis.some(({ value }) => value.raw.includes('redis.call(')))
      return 'a script that runs in Redis';
    for (let part = path; part.parentPath !== null; part = part.parentPath) {
      const parent = part.parentPath;
      if (parent.isFunction() || parent.isStatement()) return undefined;
      const message = part.listKey === 'arguments' ? messageOf(parent) : undefined;
      if (message !== undefined) return part.key === message ? 'the text of an error' : undefined;
    }
    return undefined;
  },
};

/** The index of the argument that is the text of an error; undefined if there is none. */
function messageOf(parent) {
  const { callee } = parent.node;
  if (parent.isNewExpression()) return callee.name?.endsWith('Error') ? Number(callee.name === 'ConnectionError') : undefined;
  if (callee.type === 'MemberExpression' && callee.object.name === 'assert') return callee.property.name === 'ok' ? 1 : 2;
  return FAILING.get(callee.name);
}

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'texts', texts)];
