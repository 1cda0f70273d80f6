/** @typedef {import('./world.mjs').Delivery} Delivery */

/**
 * The outcome of a scenario, as the table shows it.
 *
 * @typedef {object} Outcome
 * @property {Record<number, number>} statuses how many answers had each status
 * @property {number} sent
 * @property {number} answered how many commands the bot answered in their channel
 * @property {readonly Delivery[]} unanswered acknowledged with a 200, and then nothing came
 * @property {number} outdated how many were answered with a text that was no longer configured
 * @property {number} creates bots started
 * @property {number} vendorCalls calls to Slack's API
 * @property {number} rowReads queries for rows
 * @property {number} versionReads queries that only ask whether what is live is still up to date
 * @property {number | undefined} p50 milliseconds to the acknowledgement
 * @property {number | undefined} p99
 * @property {Record<string, number>} facts what only this scenario knows
 */

/**
 * Plays a scenario and counts the outcome.
 *
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {import('./world.mjs').World} world
 * @returns {Promise<Outcome>}
 */
export async function play(scenario, world) {
  await scenario.prepare?.(world);
  await world.resetCounts();
  const { deliveries, facts = {} } = await scenario.play(world);
  await world.settle(deliveries);
  /** @type {Record<number, number>} */
  const statuses = {};
  for (const { status } of deliveries) statuses[status] = (statuses[status] ?? 0) + 1;
  const texts = deliveries.map(({ word }) => world.answerTo(word)).filter((text) => text !== undefined);
  const times = deliveries.map(({ ms }) => ms).toSorted((one, other) => one - other);
  return {
    statuses,
    sent: deliveries.length,
    answered: texts.length,
    unanswered: deliveries.filter(({ status, word }) => status === 200 && world.answerTo(word) === undefined),
    outdated: texts.filter((text) => !text.startsWith(`${scenario.greeting ?? 'hello'} `)).length,
    ...world.counts,
    vendorCalls: [...world.slack.calls.values()].reduce((total, count) => total + count, 0),
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    facts,
  };
}

/**
 * @param {readonly number[]} sorted
 * @param {number} share
 */
function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
