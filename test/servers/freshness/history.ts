/** The writes to a connection, in order. Times are nanoseconds of the machine's monotonic clock. */
export interface Write {
  readonly id: string;
  /** Before it was sent, and after it was answered: it was committed in between. */
  readonly begun: bigint;
  readonly committed: bigint;
  /** The row's version and status, or that there is none. */
  readonly version: string | undefined;
  readonly status: 'active' | 'stopped' | 'deleted';
}

/** One use by a replica, and the version that it saw. */
export interface Use {
  readonly id: string;
  readonly replica: number;
  readonly begun: bigint;
  readonly ended: bigint;
  /** Undefined: strict. */
  readonly maxStaleMs: number | undefined;
  /** A version that was used, or the code of the failure. */
  readonly version: string | undefined;
  readonly code: string | undefined;
}

/** The report of one replica at its end. */
export interface Report {
  readonly uses: readonly Use[];
  readonly created: number;
  /** How many instances were disposed of once, and of how many that is not true. */
  readonly disposedOnce: number;
  /** Uses of an instance that was of another version than its lease says, or that was disposed of. */
  readonly misused: readonly string[];
  /** The longest turn of its event loop. */
  readonly longestTurnMs: number;
}

/** Failures that say that the store could not be asked: nothing stale was served. */
const UNAVAILABLE = new Set(['STORE_UNAVAILABLE', 'ACQUIRE_TIMEOUT']);

/** Everything in a history that the guarantees rule out, in words. */
export function violations(writes: readonly Write[], reports: readonly Report[]): string[] {
  const found: string[] = [];
  const byId = new Map<string, Write[]>();
  for (const write of writes) {
    const ofId = byId.get(write.id);
    if (ofId === undefined) byId.set(write.id, [write]);
    else ofId.push(write);
  }
  for (const [replica, report] of reports.entries()) {
    found.push(...report.misused);
    if (report.disposedOnce !== report.created)
      found.push(`replica ${replica}: ${report.created} created, ${report.disposedOnce} disposed of exactly once`);
    // The bound is measured with a clock that is read once per turn of the event loop.
    const slack = BigInt(Math.ceil((report.longestTurnMs + 5) * 1e6));
    for (const use of report.uses) {
      if (use.code !== undefined && UNAVAILABLE.has(use.code)) continue;
      if (!explained(use, byId.get(use.id) ?? [], slack)) found.push(`replica ${replica}: ${described(use)}`);
    }
  }
  return found;
}

/** Whether a use saw a state that was current at some time between the earliest it may have rested on and its end. */
function explained(use: Use, writes: readonly Write[], slack: bigint): boolean {
  const earliest = use.maxStaleMs === undefined ? use.begun : use.begun - BigInt(use.maxStaleMs) * 1_000_000n - slack;
  const first = lastBefore(writes, earliest);
  if (first === -1 && use.code === 'CONNECTION_NOT_FOUND') return true;
  for (let index = Math.max(0, first); index < writes.length; index += 1) {
    const write = writes[index] as Write;
    if (write.begun > use.ended) return false;
    if (
      use.code === undefined
        ? write.status === 'active' && write.version === use.version
        : use.code
          === (write.status === 'deleted' ? 'CONNECTION_NOT_FOUND' : write.status === 'stopped' ? 'CONNECTION_STOPPED' : '')
    )
      return true;
  }
  return false;
}

/** The last write that was committed before `time`, or -1: the long form checks a million uses against as many writes. */
function lastBefore(writes: readonly Write[], time: bigint): number {
  let low = 0;
  let high = writes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((writes[middle] as Write).committed < time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function described({ id, begun, ended, maxStaleMs, version, code }: Use): string {
  return `${maxStaleMs === undefined ? 'strict' : `${maxStaleMs} ms`} use of ${id} at ${begun} to ${ended} saw `
    + `${code ?? `version ${version}`}`;
}
