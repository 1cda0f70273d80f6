import { CHAT } from './reasons/chat.mjs';
import { CORE } from './reasons/core.mjs';
import { EDGES } from './reasons/edges.mjs';

/**
 * Why a change survives, keyed by the function that holds it: `Slots.release`, `parseRow`, or a whole class. A key can
 * narrow it down by Stryker's name of the operator, by a part of the original text, and by the replacement.
 */
const KEYS = [...CORE, ...EDGES, ...CHAT].flatMap(({ because, changes }) =>
  changes.map((change) => ({ because, ...change, in: [change.in].flat() })),
);

/**
 * @returns {{ because: string } | undefined} undefined where there is none: then a test is missing
 */
export function reasonFor({ name, operator, original, replacement }) {
  return KEYS.find(
    (key) =>
      key.in.some((each) => name === each || name.startsWith(`${each}.`))
      && (key.operator === undefined || key.operator === operator)
      && (key.from === undefined || flat(original).includes(flat(key.from)))
      && (key.to === undefined || flat(replacement) === flat(key.to)),
  );
}

/** The reasons for functions of these names that explain no survivor. They can go. */
export function unused(names, used) {
  return KEYS.filter(
    (key) => !used.has(key) && key.in.every((each) => names.some((n) => n === each || n.startsWith(`${each}.`))),
  );
}

/** Line breaks do not matter, because a formatter moves them. */
const flat = (text) => text.replaceAll(/\s+/g, '');
