import { registry } from '../lib/gateway.js';

export default defineNitroPlugin((nitro) => {
  nitro.hooks.hook('close', async () => {
    await registry.close();
    console.log('registry closed');
  });
});
