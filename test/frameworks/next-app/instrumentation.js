export async function register() {
  if (process.env.NEXT_RUNTIME !== 'nodejs') return;
  const { registry } = await import('./lib/gateway.mjs');
  process.once('SIGTERM', () => { registry.close().then(() => { console.log('registry closed'); }); });
}
