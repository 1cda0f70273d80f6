/*
 * Runs before each file of the project `unit`, whose files share their processes. Hono's server replaces the global
 * Request and Response, and the next file must find those of the platform.
 */
const KEPT = Symbol.for('hydrant.test.platform');
const world = globalThis as typeof globalThis & { [KEPT]?: { Request: typeof Request; Response: typeof Response } };
world[KEPT] ??= { Request, Response };
for (const [name, value] of Object.entries(world[KEPT]))
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
