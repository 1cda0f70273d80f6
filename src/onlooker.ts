/** Shared by every copy of the package in a process. */
const ONLOOKER: unique symbol = Symbol.for('hydrant.onlooker');

/** Marks a listener that measures or shows and logs nothing: failures are written to the console as if it were not there. */
export function onlooker<L extends (payload: never) => void>(listener: L): L {
  return Object.assign(listener, { [ONLOOKER]: true });
}

/** Whether a listener was marked so. */
export function isOnlooker(listener: object): boolean {
  return ONLOOKER in listener;
}
