import { generateKeyPairSync, sign } from 'node:crypto';

/** A Discord application's key pair: the public half as Discord shows it, and what signs as Discord does. */
export function discordApplication() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex'),
    /**
     * An interaction as Discord sends it, signed: what `fetch` takes.
     *
     * @param {Record<string, unknown>} interaction
     */
    request(interaction) {
      const body = JSON.stringify(interaction);
      const timestamp = String(Math.floor(Date.now() / 1000));
      const signature = sign(null, Buffer.from(timestamp + body), privateKey).toString('hex');
      return {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-signature-ed25519': signature, 'x-signature-timestamp': timestamp },
        body,
      };
    },
  };
}
