/** The messages to send. The replica that has the socket sends them. */
export const OUTBOX_TABLE = `
create table if not exists outbox (
  id bigint generated always as identity primary key,
  connection_id text not null,
  text text not null,
  sent_at timestamptz
);
create index if not exists outbox_unsent on outbox (connection_id, id) where sent_at is null`;

/** @param {import('pg').Pool | import('pg').Client} client */
export function createOutbox(client) {
  /** @type {Map<string, () => void>} */
  const waiting = new Map();
  return {
    /**
     * Call it on any replica. One statement commits the message together with its notification.
     *
     * @param {string} connectionId @param {string} text
     */
    async put(connectionId, text) {
      await client.query(
        `with put as (insert into outbox (connection_id, text) values ($1, $2)) select pg_notify('outbox', $1)`,
        [connectionId, text],
      );
    },
    /**
     * Called by the owner: the messages that are not sent yet, oldest first.
     *
     * @param {string} connectionId @returns {Promise<{ id: string, text: string }[]>}
     */
    async unsent(connectionId) {
      const { rows } = await client.query(
        'select id, text from outbox where connection_id = $1 and sent_at is null order by id limit 100',
        [connectionId],
      );
      return rows;
    },
    /** @param {string} id */
    async sent(id) {
      await client.query('update outbox set sent_at = now() where id = $1', [id]);
    },
    /**
     * Resolves when a message was put. A notification may be lost, so it resolves after a second at the latest.
     *
     * @param {string} connectionId @param {AbortSignal} signal @returns {Promise<void>}
     */
    somethingPut(connectionId, signal) {
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          waiting.delete(connectionId);
          resolve();
        };
        const timer = setTimeout(done, 1_000);
        signal.addEventListener('abort', done);
        waiting.set(connectionId, done);
      });
    },
    /** A notification has come. @param {string} connectionId */
    notified(connectionId) {
      waiting.get(connectionId)?.();
    },
  };
}
