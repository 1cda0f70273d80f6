import { isConnectionError } from 'hydrant';

/**
 * Sends reminders through their bots. It takes a `Connections` instead of a registry, so a test can pass an object literal.
 *
 * @typedef {{ bot: string, to: string, text: string }} Reminder
 *
 * @param {import('hydrant').Connections<any, { send(to: string, text: string): Promise<void> }>} connections
 * @param {readonly Reminder[]} reminders
 */
export async function remind(connections, reminders) {
  let sent = 0;
  /** @type {Reminder[]} */
  const later = [];
  for (const reminder of reminders) {
    const { bot, to, text } = reminder;
    try {
      await connections.use(bot, (instance) => instance.send(to, text));
      sent += 1;
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      if (error.retryable) later.push(reminder); // another time, or on another replica
      // Otherwise the bot is deleted or stopped, and its reminders are dropped.
    }
  }
  return { sent, later };
}
