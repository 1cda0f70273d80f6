/** A bot of this example's own. Put yours here. */
export const factory = {
  create: (row) => ({ greeting: row.greeting }),
  authenticate: (request, { record }) => request.headers.get('x-token') === record.token,
  handleWebhook: async (bot, request) => Response.json({ reply: `${bot.greeting}, ${await request.text()}` }),
};
