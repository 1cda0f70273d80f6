import { after } from 'next/server';
import { registry } from '../../../lib/gateway.mjs';

export async function POST(request, { params }) {
  const { id } = await params;
  return registry.handleWebhook(id, request, { waitUntil: (work) => after(work) });
}
export const GET = POST;
