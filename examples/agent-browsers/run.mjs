/** Four agents, two browsers at a time. `npm run build` first; CHROMIUM_PATH names another browser than Debian's. */
import { MemoryStore } from 'hydrant';
import { createBrowsers } from './browsers.mjs';
import { startShop } from './shop.mjs';

const shop = await startShop();
const agents = ['ada', 'eve', 'ian', 'kim'];
const saved = new Map();
const { registry, browse } = createBrowsers({
  store: new MemoryStore(agents.map((id) => ({ id, locale: 'en-GB' }))),
  profiles: { load: async (id) => saved.get(id), save: async (id, state) => void saved.set(id, state) },
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  maxInstances: 2,
});
let started = 0;
registry.on('hydrated', () => { started++; });

for (const id of agents) await browse(id, (page) => page.goto(`${shop.url}/login?user=${id}`));
console.log(`${started} browsers were started, ${registry.snapshot().live} are open`);
for (const id of agents) {
  console.log(`${id} is logged in as ${await browse(id, async (page) => {
    await page.goto(shop.url);
    return page.locator('h1').textContent();
  })}`);
}
console.log(`${started} browsers were started, ${registry.snapshot().live} are open`);
await registry.close();
await shop.close();
