import { registry } from '../../lib/gateway.mjs';

export const dynamic = 'force-dynamic';
export const GET = () => Response.json({ live: registry.snapshot().live, made: globalThis.registriesMade });
