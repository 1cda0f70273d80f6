import { registry } from '../lib/gateway.js';

export default defineEventHandler(() => ({ live: registry.snapshot().live, made: globalThis.registriesMade }));
