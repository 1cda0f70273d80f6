import type { Row } from './harness.js';

/** A lazy entity of an ORM: once its session is closed, reading its version throws. */
export function detachingRow(): { readonly lazy: Row; detach(): void } {
  let detached = false;
  return {
    lazy: {
      id: 'a',
      status: 'active',
      token: 't',
      get version() {
        if (detached) throw new Error('detached');
        return 'v1';
      },
    },
    detach: () => { detached = true; },
  };
}
