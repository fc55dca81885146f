import { describe, expect, it } from 'vitest';
import { AddressBook, type AddressRecord } from '../../../../src/access/limits/address-book.js';

const LIMITS = { connectionRate: 10, messageRate: 5 };

function connect(record: AddressRecord, now: number, times: number): number[] {
  return Array.from({ length: times }, () => record.connectionBucket?.take(now) ?? -1);
}

function send(record: AddressRecord, now: number, times: number): number[] {
  const bucket = record.messageBucket(now);
  return Array.from({ length: times }, () => bucket?.take(now) ?? -1);
}

const zeros = (count: number) => Array<number>(count).fill(0);

describe('the book of addresses', () => {
  it('has one record an address that is connected, with buckets of the limits', () => {
    const book = new AddressBook(LIMITS);
    const record = book.of('a');
    book.addConnection(record);
    expect(book.of('a')).toBe(record);
    expect(book.of('b')).not.toBe(record);
    expect(connect(record, 0, 11)).toEqual([...zeros(10), 100]);
    expect(send(record, 0, 11)).toEqual([...zeros(10), 200]);
  });

  it('has no bucket where a limit is 0', () => {
    const record = new AddressBook({ connectionRate: 0, messageRate: 0 }).of('a');
    expect([record.connectionBucket, record.messageBucket(0)]).toEqual([undefined, undefined]);
  });

  it('keeps a record while it has connections, however long and however many others come', () => {
    const book = new AddressBook(LIMITS);
    const record = book.of('a');
    book.addConnection(record);
    book.addConnection(record);
    for (let n = 0; n < 1_000; n += 1) connect(book.of(`other ${n}`), n * 1_000, 1);
    book.removeConnection(record, 1_000_000);
    expect(book.of('a')).toBe(record);
    expect(record.connections).toBe(1);
  });

  it('remembers what is left of the rates of one that has gone or was never let in', () => {
    const book = new AddressBook(LIMITS);
    const record = book.of('a');
    book.addConnection(record);
    expect([connect(record, 10_000, 10), send(record, 10_000, 10)]).toEqual([zeros(10), zeros(10)]);
    book.removeConnection(record, 10_000);
    expect(book.of('a')).not.toBe(record);
    expect([connect(book.of('a'), 10_100, 2), send(book.of('a'), 10_200, 2)]).toEqual([
      [0, 100],
      [0, 200],
    ]);
    expect(connect(book.of('refused'), 10_000, 11).at(-1)).toBe(100);
    expect(connect(book.of('refused'), 10_050, 1)).toEqual([50]);
  });

  it('has nothing to remember once they are full again', () => {
    const book = new AddressBook(LIMITS);
    connect(book.of('a'), 0, 10);
    expect(connect(book.of('a'), 1_000, 11)).toEqual([...zeros(10), 100]);
    expect(book.dropped).toBe(0);
  });

  it('remembers a hundred thousand at a time: beyond that who would be full again soonest gives way, and is counted', () => {
    const book = new AddressBook(LIMITS);
    connect(book.of('greedy'), 0, 10);
    for (let n = 0; n < 300_000; n += 1) connect(book.of(`address ${n}`), 0, 1);
    expect(connect(book.of('greedy'), 0, 1)).toEqual([100]);
    expect(book.dropped).toBeGreaterThan(150_000);
  });
});
