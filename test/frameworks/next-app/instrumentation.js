export async function register() {
  // In this form Next leaves the import out of the bundle for other runtimes, which have no Node modules.
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { registry } = await import('./lib/gateway.mjs');
    process.once('SIGTERM', () => { registry.close().then(() => { console.log('registry closed'); }); });
  }
}
