import { registry } from '$lib/gateway.js';

export const GET = () => Response.json({ live: registry.snapshot().live, made: globalThis.registriesMade });
