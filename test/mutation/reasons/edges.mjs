/** Why some changes of stores, adapters, test tools, inspector and OpenTelemetry survive. See `reasons.mjs` for the form. */
export const EDGES = [
  {
    because: 'costs time or memory and changes nothing else',
    changes: [
      { in: 'History.#bucket', operator: 'ConditionalExpression', from: 'this.#buckets.length > COLUMNS', to: 'false' },
      { in: 'ownershipTests', from: 'taken.size < wanted.length' },
      { in: 'listen', operator: 'ConditionalExpression', from: "typeof chunk === 'string'", to: 'true' },
      { in: 'forgettingTests', operator: 'ConditionalExpression', from: 'await rows() > 1', to: 'true' },
      { in: 'forgettingTests', from: 'await rows() > 1', to: '(await rows()) >= 1' },
      { in: 'Intervals.#hook', operator: 'ConditionalExpression', from: "type === 'Timeout'", to: 'true' },
      { in: 'parsedOrigin', operator: 'ConditionalExpression', from: 'last?.origin !== origin', to: 'true' },
    ],
  },
  {
    because: 'equivalent: without `ref`, no clock keeps the process alive',
    changes: [
      { in: 'start', operator: 'ObjectLiteral', from: '{ ref: false }' },
      { in: 'KeptSubscription.#wait', operator: 'ObjectLiteral', from: '{ ref: false }' },
    ],
  },
  {
    because: 'equivalent: only the types need the check; no caller gets here otherwise',
    changes: [
      { in: 'Listening.#notified', operator: 'OptionalChaining', from: 'this.#heard?.' },
      { in: ['Listening.#notified', 'Listening.#ping'], operator: 'OptionalChaining', from: 'this.#heard?.' },
      { in: ['RedisClaims.renew', 'fields'], operator: 'StringLiteral', from: "''" },
      { in: ['layoutOf', 'fragment', 'configOf'], operator: 'StringLiteral', from: "''" },
      { in: 'KeptSubscription.#wait', operator: 'OptionalChaining', from: 'cancel?.' },
      { in: 'headToSend', operator: 'ConditionalExpression', from: 'length !== null', to: 'true' },
    ],
  },
  {
    because: 'checks again what was checked before, or what Node or the platform checks later',
    changes: [
      { in: 'payloadOf', from: 'body === undefined' },
      { in: 'payloadOf', operator: 'OptionalChaining', from: 'body?.cancel' },
      { in: 'headToSend', from: "name === 'set-cookie'", to: 'false' },
      { in: 'headToSend', operator: 'StringLiteral', from: "'set-cookie'" },
      { in: 'sendFailure', from: 'isOver(res)', to: 'false' },
      { in: 'pump', from: '!client.isGone', to: 'true' },
    ],
  },
  {
    because: 'equivalent: whether a body was inflated only matters without an announced length, or with a coding',
    changes: [
      { in: 'bodyOf', from: 'declaredLength(req) !== bytes.byteLength', to: 'true' },
      { in: 'bodyOf', operator: 'LogicalOperator', from: 'declaredLength(req) !== bytes.byteLength' },
      { in: 'bodyOf', from: "req.headers['content-encoding'] !== undefined", to: 'true' },
    ],
  },
  {
    because: 'equivalent: nobody looks at it',
    changes: [
      { in: 'ScriptedStore.constructor', operator: 'ArrayDeclaration', from: '[]' },
      { in: 'sendInstead', operator: 'BooleanLiteral', from: 'true' },
      { in: 'failing', operator: 'ObjectLiteral', from: '{ highWaterMark: 0 }' },
      { in: 'pump', operator: 'ObjectLiteral', from: '{ isGone: false }' },
    ],
  },
  {
    because: 'equivalent: the URL parser makes a protocol lower case, and both branches give the same address',
    changes: [
      { in: 'urlOf', operator: 'MethodExpression', from: 'toLowerCase()' },
      { in: 'originOf', operator: 'StringLiteral', from: "':authority'" },
    ],
  },
  {
    because: 'shown by test/stores/postgres-claims.test.ts: that store notices a clock that was set back when it is called',
    changes: [
      { in: 'forgettingTests', operator: 'ArrayDeclaration', from: "await b.claim(['c1', 'c2'])" },
      { in: 'forgettingTests', operator: 'ArrayDeclaration', from: "['c1', 'c2']", to: '[]' },
    ],
  },
  {
    because: 'gives real stores on a slow machine more time',
    changes: [
      { in: 'forgettingTests', operator: 'ObjectLiteral', from: '{ ttlMs: 100 * ttlMs }' },
      { in: 'forgettingTests', operator: 'ArrayDeclaration', from: '[kept]' },
    ],
  },
  {
    because: 'equivalent: a store may forget after any time',
    changes: [
      { in: 'forgettingTests', from: 'ttlMs / 2' },
    ],
  },
  {
    because: 'equivalent: the loop behind it waits too',
    changes: [
      { in: 'forgettingTests', from: 'forgetAfterMs * 1.1' },
    ],
  },
  {
    because: 'equivalent: over HTTP/2 Node ignores the reason phrase, with one warning per process',
    changes: [
      { in: 'setHead', from: "'stream'" },
    ],
  },
  {
    because: 'equivalent: no two have the same name',
    changes: [
      { in: 'renewalTests', from: 'x.replica < y.replica' },
    ],
  },
  {
    because: 'equivalent: null is not a URL either; only the types need the check',
    changes: [
      { in: 'isFromOwnPage', operator: 'ConditionalExpression', from: 'origin !== null', to: 'true' },
    ],
  },
  {
    because: 'equivalent: a bucket without a time is in no column',
    changes: [
      { in: ['History.#buckets', 'History.#ends', 'History.columns', 'History.#bucket'], operator: 'ArrayDeclaration' },
    ],
  },
  {
    because: 'keeps one more duration per column; their number stays bounded',
    changes: [
      { in: 'History.constructor', from: 'MAX_DURATIONS', to: 'bucket.durations.length <= MAX_DURATIONS' },
    ],
  },
  {
    because: 'equivalent: JSON leaves undefined out',
    changes: [
      { in: 'columnOf', operator: 'ConditionalExpression', from: 'durations.length === 0', to: 'false' },
    ],
  },
  {
    because: 'equivalent: a stable sort only needs to know whether the later one comes first',
    changes: [
      { in: 'SORTS', from: 'a.id > b.id' },
    ],
  },
  {
    because: 'repeats a step once more',
    changes: [
      { in: 'rowTests', from: 'n < 25', to: 'n <= 25' },
      { in: 'batchTests', from: 'n < 10', to: 'n <= 10' },
      { in: 'versionTests', from: 'n < 10', to: 'n <= 10' },
      { in: 'versionTests', from: 'n < 5', to: 'n <= 5' },
      { in: 'ownershipTests', from: 'turn < 20', to: 'turn <= 20' },
      { in: 'renewalTests', from: 'beat < 3', to: 'beat <= 3' },
      { in: 'forgettingTests', from: 'beat < 5', to: 'beat <= 5' },
      { in: 'forgettingTests', from: 'beat < MOST_RENEWALS', to: 'beat <= MOST_RENEWALS' },
      { in: 'ownershipTests', from: 'look < 20', to: 'look <= 20' },
      { in: 'eventually', from: 'systemClock.monotonic() < deadline', to: 'systemClock.monotonic() <= deadline' },
    ],
  },
  {
    because: 'equivalent: any other wrong token is as wrong',
    changes: [
      { in: 'handOverTests', from: 'token + 1n' },
      { in: 'ownershipTests', from: 'token + 1n' },
      { in: 'renewalTests', from: 'token + 1n' },
    ],
  },
  {
    because: 'equivalent: the other one begins',
    changes: [
      { in: 'ownershipTests', from: 'turn % 2 === 0', to: 'turn % 2 !== 0' },
      { in: 'ownershipTests', from: 'index % 2 === 0', to: 'index % 2 !== 0' },
      { in: 'versionTests', from: 'n % 2 === 0', to: 'n % 2 !== 0' },
    ],
  },
  {
    because: 'equivalent: still two that take turns',
    changes: [
      { in: 'ownershipTests', from: 'turn % 2', to: 'turn * 2' },
      { in: 'ownershipTests', from: 'index % 2', to: 'index * 2' },
    ],
  },
  {
    because: 'equivalent: a request for all of them takes them from the others too',
    changes: [
      { in: 'ownershipTests', operator: 'ObjectLiteral', from: '{ limit: 15 }' },
    ],
  },
  {
    because: 'the conformance test fails either way, with another text',
    changes: [
      { in: 'loadOf', operator: 'OptionalChaining', from: '?.load' },
      { in: 'batchTests', operator: 'ConditionalExpression', from: 'record !== undefined', to: 'true' },
      { in: 'batchTests', operator: 'ConditionalExpression', from: 'record === undefined', to: 'false' },
      { in: 'rowTests', operator: 'ConditionalExpression', from: 'record === undefined', to: 'false' },
      { in: 'oddIdTests', operator: 'OptionalChaining', from: 'found.get(odd)?.id' },
      { in: 'oddIdTests', from: 'odd.slice(0, 40)' },
    ],
  },
  {
    because: 'equivalent: the tests only look for ids that they wrote',
    changes: [
      { in: 'listening', operator: 'ArrayDeclaration' },
    ],
  },
  {
    because: 'equivalent: both sides count one more',
    changes: [
      { in: 'versionTests', operator: 'ArrayDeclaration' },
    ],
  },
  {
    because: 'equivalent: an edit makes one of them active',
    changes: [
      { in: 'versionTests', operator: 'ConditionalExpression', from: 'n === 2', to: 'true' },
    ],
  },
  {
    because: 'equivalent: the others are stopped',
    changes: [
      { in: 'versionTests', from: 'n === 2', to: 'n !== 2' },
    ],
  },
  {
    because: 'equivalent: its own exceptions are ignored',
    changes: [
      { in: 'unharmed', operator: 'ConditionalExpression', from: 'result instanceof Promise', to: 'true' },
    ],
  },
  {
    because: 'equivalent: Fastify accepts a wildcard only at the end',
    changes: [
      { in: 'checkPath', from: '|\\*$/g' },
    ],
  },
  {
    because: 'equivalent: reporting the end twice has no effect',
    changes: [
      { in: ['bodyOf', 'listen'], operator: 'StringLiteral', from: "'error'" },
    ],
  },
  {
    because: 'equivalent: UTF-8 is the default encoding',
    changes: [
      { in: 'listen', operator: 'StringLiteral', from: "'utf8'" },
    ],
  },
  {
    because: 'equivalent: also a TypeError, with another text',
    changes: [
      { in: 'assertResponse', operator: 'OptionalChaining', from: 'value?.status' },
      { in: 'assertResponse', operator: 'OptionalChaining', from: 'value.headers?.' },
    ],
  },
  {
    because: 'equivalent: neither is a path, a host or a protocol',
    changes: [
      { in: ['urlOf', 'forwarded', 'isForwarded'], operator: 'StringLiteral', from: "''" },
    ],
  },
  {
    because: 'equivalent: an unfiltered row is visible before and after',
    changes: [
      { in: ['layoutOf', 'queriesOf', 'upsert'], operator: 'ConditionalExpression', from: 'where === undefined', to: 'false' },
    ],
  },
  {
    because: 'equivalent: an escape string without a backslash is the same text',
    changes: [
      { in: 'literal', operator: 'StringLiteral', from: "'\\\\'" },
    ],
  },
  {
    because: 'equivalent: a shorter fingerprint distinguishes as much',
    changes: [
      { in: 'fingerprint', operator: 'StringLiteral', from: "'0'" },
    ],
  },
  {
    because: 'equivalent: neither is a list of ids',
    changes: [
      { in: ['Listening.open', 'Listening.check'], operator: 'StringLiteral', from: "''" },
    ],
  },
  {
    because: 'equivalent: a failure while ending an attempt is ignored',
    changes: [
      { in: 'Listening.end', operator: 'OptionalChaining', from: 'this.#client?.end' },
    ],
  },
  {
    because: 'equivalent: the code only checks that it is over',
    changes: [
      { in: 'KeptSubscription.#listen', operator: 'ObjectLiteral', from: '{ error: undefined }' },
    ],
  },
];
