/*
 * Test files share a process. Hono's adapter replaces `Request` and `Response` as soon as it serves, so every file starts
 * with the platform's own.
 */
const KEY = Symbol.for('hydrant.test.platform');
const NAMES = ['Request', 'Response', 'fetch'] as const;

const holder = globalThis as { [KEY]?: ReadonlyMap<string, PropertyDescriptor | undefined> };
holder[KEY] ??= new Map(NAMES.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
for (const [name, descriptor] of holder[KEY]) if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
