/** The bot of this example. Replace it by yours. */
export const factory = {
  create: (row) => ({ greeting: row.greeting }),
  authenticate: (request, { record }) => request.headers.get('x-token') === record.token,
  handleWebhook: async (bot, request) => Response.json({ reply: `${bot.greeting}, ${await request.text()}` }),
};
