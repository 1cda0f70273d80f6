import mysql, { type RowDataPacket } from 'mysql2/promise';
import { tableStore } from 'hydrant';

interface Bot extends RowDataPacket { id: string; token: string; paused_at: Date | null; last_error: string | null; rev: string }

export const pool = mysql.createPool(process.env['DATABASE_URL']!);

export const read = async (ids: readonly string[]) => {
  const places = ids.map(() => '?').join(', ');
  const [rows] = await pool.execute<Bot[]>(`select * from bots where id in (${places})`, [...ids]);
  return rows;
};

export const store = tableStore({
  read,
  status: (row) => (row.paused_at === null ? 'active' : 'stopped'),
  ignore: ['last_error', 'rev'],
});
