import type { ConnectionRecord, InstanceFactory } from 'hydrant';
import type { LineAdapter } from './line-adapter.mjs';

export type LineRow = ConnectionRecord & { port: number; name: string; password: string; greeting: string };
export declare const lineFactory: InstanceFactory<LineRow, LineAdapter>;
