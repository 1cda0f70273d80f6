/** Ends the process when its main thread has been busy in one turn of the event loop for too long. */
import { cpuUsage, kill, pid } from 'node:process';
import { workerData } from 'node:worker_threads';

const { heartbeat, endlessMs } = workerData;
let last = heartbeat[0];
let since = cpuUsage();

setInterval(() => {
  const busy = cpuUsage(since);
  if (heartbeat[0] !== last) {
    last = heartbeat[0];
    since = cpuUsage();
  } else if ((busy.user + busy.system) / 1_000 > endlessMs) {
    kill(pid, 'SIGKILL');
  }
}, 250);
