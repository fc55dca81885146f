import type { Type } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isMessageClass } from '../../../../src/dispatch/validation/message-class.js';
import { judge } from '../../../../src/dispatch/validation/message-validation.pipe.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';
import { ApiValidationPipe } from '../../../../src/server-api/http/api-validation.pipe.js';

const SCALARS = [null, '', 'x', '1', 'a b!', 0, 1, -1, 1.5, -1.5, 1e300, Number.NaN, true, false];
const WRONG: readonly unknown[] = [...SCALARS, [], {}, ['a', 1], [{}], [[]], [null], { a: { b: 1 } }, Buffer.of(1)];

const api = new ApiValidationPipe();
type Check = (messageClass: Type, value: object) => Promise<unknown>;
const ofApi =
  (type: 'body' | 'query'): Check =>
  (metatype, value) =>
    api.transform(value, { type, metatype });

/** The classes with rules in all files of one kind. */
async function classesIn(ending: string): Promise<Type[]> {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith(ending));
  const modules = await Promise.all(
    files.map(async (file) => (await import(join(process.cwd(), 'src', file))) as Record<string, unknown>),
  );
  return modules.flatMap((module) => Object.values(module)).filter(isRuled);
}

function isRuled(value: unknown): value is Type {
  return typeof value === 'function' && isMessageClass(value as Type);
}

function fieldsOf(messageClass: Type): ReadonlySet<string> {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(messageClass, '', false, false);
  return new Set(metadata.map(({ propertyName }) => propertyName));
}

async function detailsOf(check: Check, messageClass: Type, value: object): Promise<Record<string, readonly string[]>> {
  try {
    await check(messageClass, value);
    return {};
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    return error.details as Record<string, readonly string[]>;
  }
}

/** Fields with more than one reason, and those whose parts have reasons as well. */
function doubled(details: Record<string, readonly string[]>): string[] {
  const paths = Object.keys(details);
  return paths.filter((path) => details[path]?.length !== 1 || paths.some((part) => part.startsWith(`${path}.`)));
}

describe.each([
  ['messages', '.messages.ts', judge as Check, 15],
  ['bodies of the server API', '.requests.ts', ofApi('body'), 20],
  ['queries and paths of the server API', '.requests.ts', ofApi('query'), 20],
] as const)('the classes of %s', (_what, ending, check, atLeast) => {
  it('give one reason for a field that is missing, empty, or of another type', async () => {
    const classes = await classesIn(ending);
    expect(classes.length).toBeGreaterThan(atLeast);
    const faults: string[] = [];
    for (const messageClass of classes) {
      for (const field of fieldsOf(messageClass)) {
        for (const value of WRONG) {
          const details = await detailsOf(check, messageClass, { [field]: value });
          const found = doubled(details).map((path) => `${path}: ${details[path]?.join(', ')}`);
          faults.push(...found.map((fault) => `${messageClass.name} with ${field}=${JSON.stringify(value)}: ${fault}`));
        }
      }
    }
    expect(faults).toEqual([]);
  });
});
