import { buildSync } from 'esbuild';
import { fileURLToPath } from 'node:url';

/**
 * The parts of the inspector that this page is made of too. They are not public, so they come from the source: bundled
 * in memory, because Node 20 cannot read TypeScript.
 *
 * @typedef {typeof import('../../../src/inspector/html.js')
 *   & typeof import('../../../src/inspector/guard.js')
 *   & typeof import('../../../src/inspector/stream.js')
 *   & typeof import('../../../src/inspector/page-style.js')
 *   & Pick<typeof import('../../../src/clock.js'), 'systemClock'>} InspectorParts
 *
 * @returns {Promise<InspectorParts>}
 */
export async function inspectorParts() {
  // Not `build`: its service process ends a little after this one.
  const { outputFiles } = buildSync({
    stdin: {
      contents: [
        ...['html', 'guard', 'stream', 'page-style'].map((name) => `export * from './inspector/${name}.js';`),
        "export { systemClock } from './clock.js';",
      ].join('\n'),
      resolveDir: fileURLToPath(new URL('../../../src/', import.meta.url)),
    },
    bundle: true, format: 'esm', platform: 'node', write: false, logLevel: 'error',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0]?.contents ?? []).toString('base64')}`);
}
