import { PrismaPg } from '@prisma/adapter-pg';
import { tableStore } from 'hydrant';
import { prismaClient } from 'hydrant/postgres';
import { PrismaClient } from './prisma/generated/client.js';

export const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env['DATABASE_URL']! }) });

export const read = (ids: readonly string[]) => prisma.bot.findMany({ where: { id: { in: [...ids] } } });

export const store = tableStore({
  read,
  status: (row) => (row.pausedAt === null ? 'active' : 'stopped'),
  ignore: ['lastError', 'rev'],
});

// For PostgresStore and PostgresClaims:
export const client = prismaClient(prisma);
