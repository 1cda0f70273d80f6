/**
 * An operator's page for one process.
 *
 * @module hydrant/inspector
 */

export { createInspector } from './inspector.js';
export type { InspectedRegistry, Inspector } from './inspector.js';
export type { InspectorOptions } from './options.js';
export type { Query, Row, View } from './view.js';
export type { LatencyColumn } from './history.js';
