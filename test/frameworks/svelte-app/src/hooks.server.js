import { registry } from '$lib/gateway.js';

// adapter-node emits it once requests in flight have ended.
process.on('sveltekit:shutdown', async () => {
  await registry.close();
  console.log('registry closed');
});
