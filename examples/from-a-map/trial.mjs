import { counts, signature } from './bot.mjs';
import { createTable } from './table.mjs';

/** @param {string} id @param {string} [greeting] @returns {import('./table.mjs').Row} */
const row = (id, greeting = 'Hello') => ({ id, status: 'active', greeting, secret: 'shh' });

const request = (secret = 'shh') => new Request('http://gateway/', {
  method: 'POST', headers: { 'x-signature': signature(secret, 'Ada') }, body: 'Ada',
});

/** The result of `work`, in a word. @param {() => Promise<any>} work */
async function say(work) {
  try {
    const result = await work();
    return result instanceof Response ? `${result.status} ${result.ok ? await result.text() : ''}`.trim() : String(result);
  } catch (error) {
    return /** @type {any} */ (error).code ?? /** @type {Error} */ (error).message;
  }
}

/**
 * Runs a gateway of two replicas through the situations that a Map does not survive.
 *
 * @param {(table: any) => Promise<any>} createGateway
 * @returns {Promise<Record<string, string>>}
 */
export async function trial(createGateway) {
  const table = createTable();
  for (const id of ['a', 'b', 'c', 'd']) await table.write(row(id));
  const startedBefore = counts.started;
  const stoppedBefore = counts.stopped;
  const started = () => counts.started - startedBefore;
  const [one, two] = [await createGateway(table), await createGateway(table)];
  /** @type {Record<string, string>} */
  const seen = {};
  seen['bots started at boot, on two replicas'] = String(started());

  await one.save(row('new'));
  seen['a webhook of a bot installed on the other replica'] = await say(() => two.webhook('new', request()));
  seen['a message of a bot installed on the other replica'] = await say(() => two.send('new', 'Ada'));

  await two.send('a', 'Ada').catch(() => {});
  await one.save(row('a', 'Good morning'));
  seen['a message after an edit on the other replica'] = await say(() => two.send('a', 'Ada'));

  await table.write(row('cold'));
  const before = started();
  await say(() => two.webhook('cold', request('a guess')));
  seen['bots started for a forged webhook'] = String(started() - before);

  const atOnce = started();
  await Promise.all(Array.from({ length: 20 }, () => say(() => two.send('cold', 'Ada'))));
  seen['bots started for 20 messages at once'] = String(started() - atOnce);

  table.fail(true);
  seen['a message while the database is away'] = await say(() => two.send('cold', 'Ada'));
  table.fail(false);

  await Promise.all([one.close(), two.close()]);
  seen['bots left running after the end'] = String(counts.started - startedBefore - (counts.stopped - stoppedBefore));
  return seen;
}
