import { setTimeout as pause } from 'node:timers/promises';
import {
  Inject, Module, type BeforeApplicationShutdown, type DynamicModule, type OnApplicationShutdown,
} from '@nestjs/common';
import { ConnectionRegistry } from 'hydrant';

type Registry = ConnectionRegistry<any, any>;

@Module({})
export class HydrantModule implements BeforeApplicationShutdown, OnApplicationShutdown {
  static forRoot(registry: Registry): DynamicModule {
    const shared = { provide: ConnectionRegistry, useValue: registry };
    return { module: HydrantModule, global: true, providers: [shared], exports: [ConnectionRegistry] };
  }

  ending = false; // answer the readiness probe with 503 while this is true

  constructor(@Inject(ConnectionRegistry) private readonly registry: Registry) {}

  async beforeApplicationShutdown(): Promise<void> {
    this.ending = true;
    await pause(Number(process.env['NOTICE_MS'] ?? 5_000)); // the load balancer has noticed
  }

  // Nest has closed its server by now.
  async onApplicationShutdown(): Promise<void> {
    await this.registry.close();
  }
}
