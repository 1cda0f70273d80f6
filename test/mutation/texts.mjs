import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

/** Leaves the messages of errors alone: `new Error(message)`, `new ConnectionError(code, message)`. */
const texts = {
  shouldIgnore(path) {
    if (!path.isStringLiteral() && !path.isTemplateLiteral()) return undefined;
    for (let part = path; part.parentPath !== null; part = part.parentPath) {
      const parent = part.parentPath;
      if (parent.isFunction() || parent.isStatement()) return undefined;
      if (!parent.isNewExpression() || part.listKey !== 'arguments' || !parent.node.callee.name?.endsWith('Error')) continue;
      const message = parent.node.callee.name === 'ConnectionError' ? 1 : 0;
      return part.key === message ? 'the text of an error' : undefined;
    }
    return undefined;
  },
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'texts', texts)];
