import type { PostgresStoreOptions } from 'hydrant/postgres';

/** A connection as the gateway that was there first sees it. */
export interface GatewayConnection {
  readonly organizationId: string;
  readonly platform: string;
  readonly config: { readonly value: string };
}

/** The gateway's own table, as it was before. */
export const GATEWAY_TABLE = `
  create table chat_connections (
    id text primary key,
    organization_id text not null default 'o1',
    platform text not null default 'slack',
    config jsonb not null,
    status text not null default 'active',
    last_error text,
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
  )`;

/** How the store is mapped onto it. */
export const GATEWAY_MAPPING = {
  table: 'chat_connections',
  columns: { config: ['organization_id', 'platform', 'config'] },
  where: 'deleted_at is null',
  softDelete: 'deleted_at = now()',
  mapRow(row): GatewayConnection {
    const config = row['config'] as { value?: unknown };
    if (typeof config.value !== 'string') throw new TypeError('config.value is missing');
    return {
      organizationId: row['organization_id'] as string,
      platform: row['platform'] as string,
      config: { value: config.value },
    };
  },
  toRow: ({ organizationId, platform, config }) => ({
    organization_id: organizationId,
    platform,
    config,
    deleted_at: null,
    updated_at: new Date(),
  }),
} satisfies Omit<PostgresStoreOptions<GatewayConnection>, 'client'>;
