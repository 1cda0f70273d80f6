import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * A chat platform like WhatsApp, on loopback. An account has one socket, and a second login ends the first. A message is one
 * line of JSON. The platform remembers the highest token of each account and refuses logins with lower ones, as your own
 * server should. A platform without tokens only ends the older socket.
 */
export async function startPlatform() {
  /** @type {Map<string, { socket: import('node:net').Socket, replica: string }>} */
  const online = new Map();
  /** @type {Map<string, bigint>} */
  const tokens = new Map();
  /** @type {{ account: string, id: string, text: string, by: string }[]} */
  const delivered = [];
  let replaced = 0;

  const server = createServer((socket) => {
    let account = '', replica = '';
    socket.on('error', () => {});
    socket.on('close', () => {
      if (online.get(account)?.socket === socket) online.delete(account);
    });
    createInterface({ input: socket }).on('line', (line) => {
      const message = JSON.parse(line);
      if (message.login !== undefined) {
        ({ login: account, replica } = message);
        if (BigInt(message.token) < (tokens.get(account) ?? 0n)) return void socket.destroy();
        tokens.set(account, BigInt(message.token));
        const before = online.get(account);
        online.set(account, { socket, replica });
        if (before !== undefined) {
          replaced += 1;
          before.socket.destroy();
        }
        socket.write(`${JSON.stringify({ ready: true })}\n`);
      } else if (online.get(account)?.socket === socket) {
        // The platform knows a message by its id, so one that is sent again is the same one.
        if (!delivered.some(({ id }) => id === message.id)) delivered.push({ account, ...message, by: replica });
        socket.write(`${JSON.stringify({ accepted: message.id })}\n`);
      }
    }).on('error', () => {});
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port: address.port,
    delivered,
    /** The number of accounts that were logged in twice. */
    get replaced() { return replaced; },
    /** Which replica's socket an account has. @param {string} account */
    ownerOf: (account) => online.get(account)?.replica,
    async close() {
      for (const { socket } of online.values()) socket.destroy();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
