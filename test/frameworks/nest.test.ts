import 'reflect-metadata';
import {
  Controller,
  Get,
  Inject,
  Module,
  Param,
  type DynamicModule,
  type MiddlewareConsumer,
  type NestModule,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConnectionRegistry, type Connections } from 'hydrant';
import { expressWebhook } from 'hydrant/express';
import { fastifyWebhook } from 'hydrant/fastify';
import { expect, test } from 'vitest';
import { HydrantModule } from './recipes/nest.js';
import { createBots, exercise, EXPECTED } from './support/bots.js';

type Registry = ConnectionRegistry<any, any>;

// These servers have no load balancer that would need notice.
process.env['NOTICE_MS'] = '0';

/** On Express, the webhook is a middleware. */
@Module({})
class WebhookModule implements NestModule {
  constructor(@Inject(ConnectionRegistry) private readonly registry: Registry) {}

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(expressWebhook(this.registry)).forRoutes('webhooks/:connectionId');
  }
}

test('NestJS on Express: the webhook is mounted before the body parsers of Nest', async () => {
  const { registry, counts } = createBots();
  const AppModule = HydrantModule.forRoot(registry);
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: false });
  app.enableShutdownHooks();
  app.use('/webhooks/:connectionId', expressWebhook(registry));
  await app.listen(0, '127.0.0.1');
  const base = await app.getUrl();
  expect(await exercise(base)).toEqual(EXPECTED);
  const forged = await fetch(`${base}/webhooks/acme`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"not json": ${'x'.repeat(200_000)}`,
  });
  expect(forged.status, 'Nest has a parser of its own, and it does not see this body').toBe(401);
  await app.close();
  expect({ ...counts(), state: registry.state }).toEqual({ created: 1, disposed: 1, state: 'closed' });
});

const KEEPS_BYTES = [{ rawBody: true }, { bodyParser: false }];
test.each(KEEPS_BYTES)('NestJS on Express, as a middleware of a module, with %o', async (options) => {
  const { registry, counts } = createBots();
  const AppModule: DynamicModule = { module: WebhookModule, imports: [HydrantModule.forRoot(registry)] };
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: false, ...options });
  app.enableShutdownHooks();
  await app.listen(0, '127.0.0.1');
  expect(await exercise(await app.getUrl())).toEqual(EXPECTED);
  await app.close();
  expect(app.get(HydrantModule).ending).toBe(true);
  expect({ ...counts(), state: registry.state }).toEqual({ created: 1, disposed: 1, state: 'closed' });
});

test('NestJS on Express with its own body parser: the failure names the fix', async () => {
  const { registry } = createBots();
  const told: string[] = [];
  registry.on('webhookFailed', ({ error }) => { told.push(error.message); });
  const AppModule: DynamicModule = { module: WebhookModule, imports: [HydrantModule.forRoot(registry)] };
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  expect(await exercise(await app.getUrl())).toMatchObject({ good: { status: 500 } });
  expect(told[0]).toContain('NestFactory.create(AppModule, { rawBody: true })');
  await app.close();
});

test('NestJS on Fastify: the webhook is a plugin with parsers of its own', async () => {
  const { registry, counts } = createBots();
  const AppModule = HydrantModule.forRoot(registry);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false });
  await app.register(fastifyWebhook as never, { registry, prefix: '/webhooks', path: '/:connectionId' } as never);
  await app.listen(0, '127.0.0.1');
  expect(await exercise(await app.getUrl())).toEqual(EXPECTED);
  await app.close();
  expect({ ...counts(), state: registry.state }).toEqual({ created: 1, disposed: 1, state: 'closed' });
});

test('NestJS answers a ConnectionError of a route with its status and without its message', async () => {
  const { registry } = createBots();

  @Controller('bots')
  class Bots {
    constructor(@Inject(ConnectionRegistry) private readonly connections: Connections<unknown, unknown>) {}

    @Get(':id')
    find(@Param('id') id: string): Promise<string> {
      return this.connections.use(id, () => 'found');
    }
  }

  const AppModule: DynamicModule = { module: WebhookModule, imports: [HydrantModule.forRoot(registry)], controllers: [Bots] };
  const app = await NestFactory.create<NestExpressApplication>(AppModule, { logger: false });
  await app.listen(0, '127.0.0.1');
  const response = await fetch(`${await app.getUrl()}/bots/nobody`);
  expect({ status: response.status, body: await response.json() }).toEqual({
    status: 404,
    body: { statusCode: 404, message: 'Not Found' },
  });
  await app.close();
});
