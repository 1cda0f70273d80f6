/** Why some changes of `chat` survive. See `reasons.mjs` for the form. */
export const CHAT = [
  {
    because: 'equivalent: nothing has that name either',
    changes: [
      { in: ['handleWebhook', 'connectionIdOf'], operator: 'StringLiteral', from: "''" },
    ],
  },
  {
    because: 'equivalent: the start has failed already, and nobody waits for this adapter any more',
    changes: [
      { in: 'stopIfLate', operator: 'OptionalChaining', from: 'adapter.disconnect?.' },
    ],
  },
  {
    because: 'equivalent: an answer to a delivery is late only if its payload was read before',
    changes: [
      { in: 'LateFailures.#editDiscordAnswer', operator: 'OptionalChaining', from: 'payload?.' },
    ],
  },
  {
    because: 'equivalent: a delivery that was verified has an adapter',
    changes: [
      { in: 'Verification.answerOf', operator: 'OptionalChaining' },
    ],
  },
  {
    because: 'equivalent: a function that returns nothing returns undefined',
    changes: [
      { in: 'parsePayload', operator: 'BlockStatement', from: 'return undefined;' },
    ],
  },
];
