// The platform that only one replica may poll. It judges by nothing but the order in which it receives polls and
// tokens, and runs in a process of its own so that no fault touches it.
import { createServer } from 'node:net';

/** Milliseconds on the machine's monotonic clock, the same in every process. */
const now = () => Number(process.hrtime.bigint()) / 1e6;

/** Per connection: the highest token seen, its owner, and the time of the last poll. */
const seen = new Map();
let polls = 0;
let stale = [];
let changes = [];

function poll(replica, id, token, at) {
  polls += 1;
  const last = seen.get(id);
  if (last === undefined || token > last.token) {
    changes.push({ id, replica, token: String(token), at });
    seen.set(id, { token, replica, at });
  } else if (token < last.token || replica !== last.replica) {
    stale.push({ id, replica, token: String(token), newer: String(last.token), by: last.replica, at });
  } else {
    last.at = at;
  }
}

const server = createServer((socket) => {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const at = now();
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      const [replica, id, token] = line.split(' ');
      poll(replica, id, BigInt(token), at);
    }
  });
});

process.on('message', ({ ask }) => {
  if (ask === 'report') {
    process.send({
      answer: 'report',
      at: now(),
      polls,
      stale,
      changes,
      owners: [...seen].map(([id, { replica, at }]) => ({ id, replica, at })),
    });
  } else if (ask === 'forget') {
    // Judgements stay. Only the record of changes begins anew.
    polls = 0;
    stale = [];
    changes = [];
    process.send({ answer: 'forget' });
  }
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => process.send({ answer: 'port', port: server.address().port }));
