import ts from 'typescript';

/**
 * Finds places in source text for planted bugs and mutants: by the function they are in, and by what they say whatever
 * their line breaks are.
 */

/** Every function of a file that has a name: `Slots.release`, `Slots.#dispose`, `parseRow`. */
export function functionsOf(/** @type {string} */ text) {
  const source = ts.createSourceFile('source.ts', text, ts.ScriptTarget.Latest, true);
  /** @type {{ name: string, start: number, end: number }[]} */
  const found = [];
  const visit = (/** @type {ts.Node} */ node, /** @type {string} */ owner) => {
    const name = nameOf(node, owner);
    if (name !== undefined && !ts.isClassDeclaration(node)) found.push({ name, start: node.getStart(), end: node.end });
    ts.forEachChild(node, (child) => visit(child, ts.isClassDeclaration(node) ? `${node.name?.text ?? ''}.` : owner));
  };
  visit(source, '');
  return found;
}

/** @returns {string | undefined} */
function nameOf(/** @type {ts.Node} */ node, /** @type {string} */ owner) {
  if (ts.isConstructorDeclaration(node)) return `${owner}constructor`;
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isAccessor(node) || ts.isPropertyDeclaration(node))
    return node.name === undefined ? undefined : `${ts.isFunctionDeclaration(node) ? '' : owner}${node.name.getText()}`;
  // A constant of the file: a function, or a value that contains one.
  if (ts.isVariableDeclaration(node) && ts.isSourceFile(node.parent.parent.parent)) return node.name.getText();
  return undefined;
}

/** The name of the innermost named function around a place; `''` where there is none. */
export function functionAt(/** @type {ReturnType<typeof functionsOf>} */ functions, /** @type {number} */ position) {
  const around = functions.filter(({ start, end }) => start <= position && position < end);
  return around.toSorted((a, b) => a.end - a.start - (b.end - b.start))[0]?.name ?? '';
}

/**
 * Replaces the one place in the function `name` that says `find`. White space and line breaks do not matter, nor does the
 * comma that a formatter puts before a closing bracket.
 *
 * @throws Error where there is no such function, or not exactly one such place
 */
export function replaceIn(
  /** @type {string} */ text,
  /** @type {string} */ name,
  /** @type {string} */ find,
  /** @type {string} */ replace,
) {
  const functions = functionsOf(text).filter((each) => each.name === name);
  if (functions.length === 0) throw new Error(`there is no function ${name}`);
  const places = functions.flatMap(({ start, end }) =>
    [...text.slice(start, end).matchAll(patternOf(find))].map(({ index, 0: found }) => ({ at: start + index, found })),
  );
  if (places.length !== 1) throw new Error(`${name} has ${places.length} places that read ${JSON.stringify(find)}`);
  const [{ at, found }] = places;
  return text.slice(0, at) + replace + text.slice(at + found.length);
}

function patternOf(/** @type {string} */ find) {
  const scanner = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, find);
  let pattern = '';
  while (scanner.scan() !== ts.SyntaxKind.EndOfFileToken) {
    const token = scanner.getTokenText();
    if (pattern !== '') pattern += /^[)\]}]$/.test(token) ? '\\s*,?\\s*' : '\\s*';
    pattern += token.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  }
  return new RegExp(pattern, 'g');
}
