import { BadRequestException, Body, Controller, Get, Inject, NotFoundException, Param, Post } from '@nestjs/common';
import pg from 'pg';

interface Order {
  readonly id: number;
  readonly item: string;
  readonly state: string;
  /** Grows with each change, so that a page can tell which of two is newer. */
  readonly version: number;
}

const FIELDS = 'id::int, item, state, version';
const PLACE = `INSERT INTO orders (item) VALUES ($1) RETURNING ${FIELDS}`;
const SHIP = `UPDATE orders SET state = 'shipped', version = version + 1 WHERE id = $1 RETURNING ${FIELDS}`;

@Controller('orders')
export class OrdersController {
  constructor(@Inject(pg.Pool) private readonly pool: pg.Pool) {}

  @Get()
  async list(): Promise<readonly Order[]> {
    return (await this.pool.query<Order>(`SELECT ${FIELDS} FROM orders ORDER BY id DESC LIMIT 100`)).rows;
  }

  @Post()
  place(@Body() { item }: { readonly item?: unknown }): Promise<Order> {
    if (typeof item !== 'string' || item.trim() === '' || item.length > 100) {
      throw new BadRequestException('item must be 1 to 100 characters');
    }
    return this.change(PLACE, item);
  }

  @Post(':id/ship')
  ship(@Param('id') id: string): Promise<Order> {
    if (!/^\d{1,9}$/.test(id)) throw new NotFoundException();
    return this.change(SHIP, id);
  }

  /** The row and its message, in one transaction: either both are there, or none. */
  private async change(statement: string, parameter: string): Promise<Order> {
    const client = await this.pool.connect();
    try {
      await client.query('BEGIN');
      const [order] = (await client.query<Order>(statement, [parameter])).rows;
      if (order === undefined) throw new NotFoundException();
      await client.query('SELECT gatehouse_publish($1, $2)', ['orders:all', order]);
      await client.query('COMMIT');
      return order;
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }
}
