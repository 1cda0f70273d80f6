import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

/*
 * Who may know whom. A room is a folder of `src`, or a file that stands alone in it. `code` is what a room runs;
 * `types` is what it may name besides, which ties nothing to anything at run time.
 */
const GROUND = [
  'contracts',
  'clock.ts',
  'errors.ts',
  'thenable.ts',
  'bounded.ts',
  'effects.ts',
  'delays.ts',
  'backoff.ts',
  'listeners.ts',
  'within.ts',
  'own-signal.ts',
  'surroundings.ts',
  'when-aborted.ts',
  'ids.ts',
  'checks.ts',
  'console-lines.ts',
  'subscription.ts',
];
const LAYERS: Record<string, { code: string[]; types?: string[] }> = {
  // The ground: nothing above it.
  contracts: { code: [], types: ['clock.ts', 'errors.ts'] },
  'clock.ts': { code: [] },
  'errors.ts': { code: [] },
  'thenable.ts': { code: [] },
  'bounded.ts': { code: [] },
  'effects.ts': { code: ['clock.ts'] },
  'delays.ts': { code: [] },
  'backoff.ts': { code: ['bounded.ts', 'delays.ts'], types: ['clock.ts', 'errors.ts'] },
  'onlooker.ts': { code: [] },
  'console-lines.ts': { code: [], types: ['clock.ts'] },
  'listeners.ts': { code: ['console-lines.ts', 'onlooker.ts'], types: ['clock.ts'] },
  'own-signal.ts': { code: [] },
  'subscription.ts': { code: [], types: ['contracts', 'clock.ts'] },
  'ids.ts': { code: [] },
  'when-aborted.ts': { code: [] },
  'surroundings.ts': { code: [] },
  'checks.ts': { code: ['errors.ts'] },
  'within.ts': { code: [], types: ['clock.ts'] },
  'shared-timers.ts': { code: ['clock.ts'], types: ['surroundings.ts'] },
  'composite-factory.ts': { code: ['contracts'] },
  'options.ts': { code: [...GROUND, 'composite-factory.ts'] },
  'events.ts': { code: [...GROUND, 'options.ts'] },
  'connections.ts': { code: ['contracts'], types: ['slot'] },
  'environment.ts': {
    code: ['clock.ts', 'effects.ts', 'events.ts', 'shared-timers.ts', 'surroundings.ts'],
    types: ['contracts'],
  },
  // The core.
  slot: { code: GROUND, types: ['environment.ts'] },
  reads: { code: GROUND, types: ['environment.ts', 'slot'] },
  hydrate: { code: [...GROUND, 'composite-factory.ts', 'slot', 'reads'], types: ['environment.ts'] },
  'snapshot.ts': { code: ['contracts', 'slot'] },
  'closing.ts': { code: [...GROUND, 'options.ts', 'slot'], types: ['environment.ts', 'reads', 'hydrate'] },
  'invalidation.ts': { code: ['slot'], types: ['contracts', 'backoff.ts', 'environment.ts', 'reads', 'hydrate'] },
  'registry.ts': {
    code: [
      ...GROUND,
      'invalidation.ts',
      'connections.ts',
      'environment.ts',
      'options.ts',
      'events.ts',
      'slot',
      'reads',
      'hydrate',
      'snapshot.ts',
      'closing.ts',
      'webhook',
    ],
  },
  'factory-by-platform.ts': { code: ['contracts', 'errors.ts', 'options.ts', 'composite-factory.ts'] },
  // Around it: the registry is known by its public verbs only, and what a lease is.
  messages: { code: ['clock.ts', 'errors.ts', 'thenable.ts'], types: ['contracts'] },
  webhook: { code: [...GROUND, 'messages', 'reads', 'hydrate'], types: ['environment.ts', 'closing.ts', 'slot'] },
  exclusive: { code: GROUND, types: ['connections.ts', 'slot'] },
  stores: { code: GROUND, types: ['exclusive'] },
  adapters: { code: ['clock.ts', 'errors.ts', 'checks.ts', 'console-lines.ts', 'within.ts', 'messages'], types: ['webhook'] },
  testing: { code: GROUND, types: ['exclusive'] },
  // Looks on: what it measures is known by its shape.
  otel: {
    code: ['clock.ts', 'errors.ts', 'ids.ts', 'thenable.ts', 'onlooker.ts', 'composite-factory.ts', 'messages'],
    types: ['contracts', 'connections.ts', 'events.ts', 'exclusive', 'slot', 'snapshot.ts', 'webhook'],
  },
  inspector: {
    code: ['clock.ts', 'errors.ts', 'ids.ts', 'checks.ts', 'console-lines.ts', 'onlooker.ts'],
    types: ['events.ts', 'snapshot.ts'],
  },
  chat: { code: ['bounded.ts', 'checks.ts', 'errors.ts', 'when-aborted.ts'], types: ['contracts'] },
  'index.ts': {
    code: ['clock.ts', 'errors.ts', 'factory-by-platform.ts', 'registry.ts', 'stores'],
    types: [
      'contracts',
      'connections.ts',
      'closing.ts',
      'events.ts',
      'slot',
      'snapshot.ts',
      'webhook',
      'composite-factory.ts',
      'options.ts',
    ],
  },
};

/** Packages, and the only files that may import them. */
const PACKAGES: Record<string, string[]> = {
  'lru-cache': ['bounded.ts'],
  'p-limit': ['exclusive/environment.ts'],
  'zod/mini': ['checks.ts'],
};

/** Optional peers that are no framework and no driver but an interface, and the only room that may import each. */
const PEERS: Record<string, string> = { '@opentelemetry/api': 'otel', 'chat': 'chat' };

interface Import { readonly from: string; readonly to: string; readonly types: boolean }

const SRC = fileURLToPath(new URL('../src/', import.meta.url));
const FILES = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts'));
const SOURCES = new Map(
  FILES.map((path) => [path, ts.createSourceFile(path, readFileSync(join(SRC, path), 'utf8'), ts.ScriptTarget.Latest, true)]),
);
const IMPORTS = [...SOURCES].flatMap(([path, source]) => importsOf(path, source));

function importsOf(from: string, source: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node, types: boolean): void => {
    if (!ts.isStringLiteralLike(specifier)) throw new Error(`${from} imports something that is no literal`);
    const { text } = specifier;
    found.push({ from, to: text.startsWith('.') ? posix.join(dirname(from), text).replace(/\.js$/, '.ts') : text, types });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause));
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0] as ts.Node, false);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { namedBindings } = clause;
  return (
    clause.name === undefined
    && namedBindings !== undefined
    && ts.isNamedImports(namedBindings)
    && namedBindings.elements.every((element) => element.isTypeOnly)
  );
}

const roomOf = (path: string): string => path.split('/')[0] as string;
const isOurs = ({ to }: Import): boolean => SOURCES.has(to);

/** Everything that is run, or also everything that is named, when `entry` is imported. */
function reachableFrom(entry: string, types: boolean): Set<string> {
  const reached = new Set([entry]);
  for (const path of reached) for (const one of IMPORTS) if (one.from === path && (types || !one.types)) reached.add(one.to);
  return reached;
}

describe('layering', () => {
  test('every file is read, and every relative import leads to a file', () => {
    expect(FILES.length).toBeGreaterThan(50);
    expect(IMPORTS.length).toBeGreaterThan(200);
    const lost = IMPORTS.filter((one) => /^[\w-]+(\/|\.ts$)/.test(one.to) && one.to.endsWith('.ts') && !isOurs(one));
    expect(lost).toEqual([]);
  });

  test('every room is in the table', () => {
    expect([...new Set(FILES.map(roomOf))].filter((room) => !(room in LAYERS))).toEqual([]);
  });

  test.each(Object.keys(LAYERS))('%s imports only rooms below it', (room) => {
    const { code, types = [] } = LAYERS[room] as { code: string[]; types?: string[] };
    const wrong = IMPORTS.filter((one) => isOurs(one) && roomOf(one.from) === room && roomOf(one.to) !== room)
      .filter((one) => !code.includes(roomOf(one.to)) && !(one.types && types.includes(roomOf(one.to))));
    expect(wrong).toEqual([]);
  });

  test('no import cycle exists, not even of types', () => {
    const circles = FILES.filter((path) =>
      IMPORTS.some((one) => one.from === path && one.to !== path && isOurs(one) && reachableFrom(one.to, true).has(path)),
    );
    expect(circles).toEqual([]);
  });

  test('contracts are types only', () => {
    expect(IMPORTS.filter(({ from, types }) => from.startsWith('contracts/') && !types)).toEqual([]);
    for (const [path, source] of SOURCES) {
      if (!path.startsWith('contracts/')) continue;
      expect(
        source.statements.filter(
          (statement) =>
            !ts.isImportDeclaration(statement) && !ts.isInterfaceDeclaration(statement) && !ts.isTypeAliasDeclaration(statement),
        ),
        path,
      ).toEqual([]);
    }
  });

  test.each(Object.entries(PACKAGES))('%s is imported in %o only', (name, files) => {
    expect(IMPORTS.filter(({ to }) => to === name).map(({ from }) => from)).toEqual(files);
  });

  test('no other package is imported, not even for its types', () => {
    const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      dependencies: object;
    };
    expect(Object.keys(dependencies).toSorted()).toEqual(Object.keys(PACKAGES).map((name) => name.split('/')[0]));
    expect(
      IMPORTS.filter(
        (one) => !isOurs(one) && !one.to.startsWith('node:') && !(one.to in PACKAGES) && PEERS[one.to] !== roomOf(one.from),
      ),
    ).toEqual([]);
  });

  test('the root entry imports nothing from Node, not even in its types', () => {
    expect([...reachableFrom('index.ts', true)].filter((path) => path.startsWith('node:'))).toEqual([]);
    expect(new Set(IMPORTS.filter(({ to }) => to.startsWith('node:')).map(({ from }) => roomOf(from)))).toEqual(
      new Set(['adapters', 'testing', 'chat']),
    );
  });

  test('the stores, exclusive and the adapters do not import the registry', () => {
    for (const entry of FILES.filter((path) =>
      /^(stores\/\w+\/index|exclusive\/index|adapters\/(node|express|fastify))\.ts$/.test(path),
    )) {
      expect(
        [...reachableFrom(entry, false)].filter((path) =>
          ['registry.ts', 'options.ts', 'zod', 'hydrate/secrets.ts'].includes(path),
        ),
        entry,
      ).toEqual([]);
    }
  });

  test('no line is over 130 characters', () => {
    const root = fileURLToPath(new URL('../', import.meta.url));
    const writtenByOtherTests = '/(dist|reports|generated[^/]*)/';
    const skipped = new RegExp(
      `node_modules|package-lock|^test/types/contract|grafana-dashboard|/hydrant-0\\.1/|${writtenByOtherTests}`,
    );
    const long = ['src', 'test', 'examples', '.github'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .map((path) => posix.join(folder, path.replaceAll('\\', '/')))
        .filter((path) => /\.(ts|m?js|yml|json|pml|css)$/.test(path) && !skipped.test(path))
        .flatMap((path) =>
          readFileSync(join(root, path), 'utf8')
            .split('\n')
            .flatMap((line, index) => (line.length > 130 ? [`${path}:${index + 1}`] : [])),
        ),
    );
    expect(long).toEqual([]);
  });

  test('time comes from clock.ts alone', () => {
    const CALLS = new Set(['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval']);
    const COUNTS_INTERVALS_OF_OTHERS = 'testing/factory-conformance/leftovers.ts';
    const found: string[] = [];
    for (const [path, source] of SOURCES) {
      if (path === 'clock.ts' || path === COUNTS_INTERVALS_OF_OTHERS) continue;
      const visit = (node: ts.Node): void => {
        const told = `${path}:${source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1}: `
          + `${node.getText(source).split('\n')[0]}`;
        if (
          ts.isPropertyAccessExpression(node)
          && node.name.text === 'now'
          && ['Date', 'performance'].includes(node.expression.getText(source))
        )
          found.push(told);
        else if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && CALLS.has(node.expression.text))
          found.push(told);
        else if (ts.isNewExpression(node) && node.expression.getText(source) === 'Date') found.push(told);
        else if (
          ts.isPropertyAccessExpression(node)
          && node.expression.getText(source) === 'globalThis'
          && CALLS.has(node.name.text)
        )
          found.push(told);
        ts.forEachChild(node, visit);
      };
      visit(source);
    }
    expect(found).toEqual([]);
  });
});
