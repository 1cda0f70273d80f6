/** The listeners, which are the same in every workspace. @param {import('@slack/bolt').App} app */
export function setUp(app) {
  app.command('/ask', async ({ command, ack, say }) => {
    await ack();
    await say(`you asked: ${command.text}`);
  });
  app.event('app_mention', async ({ event, say }) => { await say(`hello <@${event.user}>`); });
  app.action('approve', async ({ ack, respond }) => {
    await ack();
    await respond('approved');
  });
}
