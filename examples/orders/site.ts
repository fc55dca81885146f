import { Controller, Get, Header, Inject, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { build } from 'esbuild';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { OrdersController } from './orders.controller.js';

export interface OrdersSetup {
  /** `postgres://…`, with the schema of the outbox. */
  readonly database: string;
  /** Where clients reach Gatehouse: `ws://127.0.0.1:8080/ws`. */
  readonly gatehouse: string;
}

const GATEHOUSE = Symbol('the URL of Gatehouse');
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The page, and what it loads. */
@Controller()
class PageController {
  constructor(@Inject(GATEHOUSE) private readonly gatehouse: string) {}

  @Get()
  @Header('Content-Type', 'text/html')
  page(): string {
    return readFileSync(pathOf('index.html'), 'utf8').replace('ws://127.0.0.1:8080/ws', this.gatehouse);
  }

  @Get('client.js')
  @Header('Content-Type', 'text/javascript')
  async client(): Promise<string> {
    const entryPoints = [pathOf('../../packages/client/src/index.ts')];
    const alias = { '@gatehouse/protocol': pathOf('../../packages/protocol/src/protocol.ts') };
    const { outputFiles } = await build({ entryPoints, alias, bundle: true, format: 'esm', write: false });
    return outputFiles[0]?.text ?? '';
  }
}

@Module({})
class OrdersModule {}

/** An HTTP API with orders in PostgreSQL, and a page that shows them. It knows nothing of Gatehouse but a function in SQL. */
export async function openOrdersSite({ database, gatehouse }: OrdersSetup): Promise<INestApplication> {
  const pool = new pg.Pool({ connectionString: database });
  pool.on('error', () => {});
  await pool.query(readFileSync(pathOf('orders.sql'), 'utf8'));
  const providers = [
    { provide: pg.Pool, useValue: pool },
    { provide: GATEHOUSE, useValue: gatehouse },
  ];
  const controllers = [OrdersController, PageController];
  const site = await NestFactory.create(
    { module: OrdersModule, controllers, providers },
    { logger: ['error', 'warn'] },
  );
  const close = site.close.bind(site);
  return Object.assign(site, { close: async () => (await close(), await pool.end()) });
}
