/** Serves the page at http://127.0.0.1:3000/ until it is interrupted; the password is `open`. `npm run build` first. */
import { createServer } from 'node:http';
import { createOperators } from './operators.mjs';
import { startTraffic } from './traffic.mjs';

const traffic = startTraffic();
const { listener, stop } = createOperators({ registry: traffic.registry, password: 'open' });
const server = createServer(listener).listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${process.env.PORT ?? 3000}/ (any name, password “open”)`);
});
process.once('SIGINT', async () => {
  stop();
  server.close();
  server.closeIdleConnections();
  await traffic.stop();
});
