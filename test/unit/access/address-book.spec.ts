import { describe, expect, it } from 'vitest';
import { AddressBook } from '../../../src/access/address-book.js';

const LIMITS = { connectionRate: 10, messageRate: 5 };

/** How many records a book holds, whatever generation they are in. */
function size(book: AddressBook): number {
  const maps = Object.values(book).filter((field): field is Map<string, unknown> => field instanceof Map);
  return maps.reduce((sum, map) => sum + map.size, 0);
}

describe('the book of addresses', () => {
  it('has one record an address, with buckets of the limits', () => {
    const book = new AddressBook(LIMITS);
    const record = book.of('a', 0);
    expect(book.of('a', 1_000)).toBe(record);
    expect(book.of('b', 0)).not.toBe(record);
    const connections = Array.from({ length: 11 }, () => record.connectionBucket?.take(0));
    expect(connections).toEqual([...Array<number>(10).fill(0), 100]);
    const messages = Array.from({ length: 11 }, () => record.messageBucket?.take(0));
    expect(messages).toEqual([...Array<number>(10).fill(0), 200]);
  });

  it('has no bucket where a limit is 0', () => {
    const record = new AddressBook({ connectionRate: 0, messageRate: 0 }).of('a', 0);
    expect(record.connectionBucket).toBeUndefined();
    expect(record.messageBucket).toBeUndefined();
  });

  it('keeps a record while it has connections, however long', () => {
    const book = new AddressBook(LIMITS);
    const record = book.of('a', 0);
    book.addConnection(record);
    book.addConnection(record);
    for (let now = 0; now < 100_000; now += 1_000) book.of(`other ${now}`, now);
    expect(book.of('a', 100_000)).toBe(record);
    book.removeConnection(record, 100_000);
    for (let now = 100_000; now < 200_000; now += 1_000) book.of(`other ${now}`, now);
    expect(book.of('a', 200_000)).toBe(record);
    expect(record.connections).toBe(1);
  });

  it('keeps it a while after the last connection, so that reconnecting does not fill its bucket', () => {
    const book = new AddressBook(LIMITS);
    const record = book.of('a', 0);
    book.addConnection(record);
    book.removeConnection(record, 10_000);
    book.of('b', 11_999);
    expect(book.of('a', 11_999)).toBe(record);
  });

  it('forgets it then', () => {
    const book = new AddressBook(LIMITS);
    const record = book.of('a', 0);
    for (let now = 0; now <= 6_000; now += 500) book.of(`other ${now}`, now);
    expect(book.of('a', 6_000)).not.toBe(record);
  });

  it('holds two generations at most, however many addresses come at once', () => {
    const book = new AddressBook(LIMITS);
    for (let n = 0; n < 350_000; n += 1) book.of(`address ${n}`, 0);
    expect(size(book)).toBeLessThanOrEqual(200_000);
    expect(size(book)).toBeGreaterThanOrEqual(100_000);
  });

  it('does not lose a connected address in such a flood', () => {
    const book = new AddressBook(LIMITS);
    const record = book.of('a', 0);
    book.addConnection(record);
    for (let n = 0; n < 250_000; n += 1) book.of(`address ${n}`, 0);
    expect(book.of('a', 0)).toBe(record);
  });
});
