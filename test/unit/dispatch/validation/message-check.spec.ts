import { inspect } from 'node:util';
import type { ArgumentMetadata, Type } from '@nestjs/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCheck } from '../../../../src/dispatch/validation/message-check.js';
import { judge, MessageValidationPipe } from '../../../../src/dispatch/validation/message-validation.pipe.js';
import { GatehouseError } from '../../../../src/protocol/gatehouse-error.js';
import {
  Asynchronous,
  FLAT_CLASSES,
  Nested,
  NESTED_CLASSES,
  NestedByInstance,
  NestedTree,
  Numbers,
  OTHER_CLASSES,
  Transformed,
} from '../message-classes.js';

/** Values of which each is right for some field above. */
const TEXTS = ['', 'a', 'abc', 'known', 'too long for it', 'red', 'three', 'text', 'n', '7'];
const ADDRESSES = [
  'a@b.example',
  'https://example.com',
  '2026-11-22T10:00:00Z',
  '0b39a5fc-9d22-4f6e-8d8c-1f2f3a4b5c6d',
];
const SCALARS = [0, 1, 2, 7, 10, 11, -1, 1.25, 1.255, true, false, null, undefined];
const LISTS = [[], ['a'], ['a', ''], ['a', 'b', 'c', 'd'], [1], [1, 2], [1, 2, 3], [1, 'a']];
const TEXTS_INSIDE = { text: 'abc', word: 'abc' };
const NUMBERS_INSIDE = { n: 1, price: 2, flag: true };
const INSIDE = fc.constantFrom<unknown>(
  TEXTS_INSIDE,
  NUMBERS_INSIDE,
  { ...TEXTS_INSIDE, extra: 1 },
  { ...TEXTS_INSIDE, text: 5 },
  { ...TEXTS_INSIDE, inner: TEXTS_INSIDE },
  { ...TEXTS_INSIDE, inner: { text: 'deep', extra: 1 } },
  Object.assign(Object.create(null), TEXTS_INSIDE),
  [],
  [TEXTS_INSIDE],
  [NUMBERS_INSIDE, NUMBERS_INSIDE],
  [NUMBERS_INSIDE, null],
  [NUMBERS_INSIDE, { ...NUMBERS_INSIDE, extra: 1 }],
  [[NUMBERS_INSIDE]],
  new Date(0),
);
const LIKELY = fc.constantFrom<unknown>(...TEXTS, ...ADDRESSES, ...SCALARS, ...LISTS, {}, { a: 1 }, Buffer.of(1, 2));
const NAMES = ['text', 'word', 'id', 'n', 'price', 'flag', 'color', 'choice', 'email', 'url', 'at'];
const MORE_NAMES = ['items', 'numbers', 'kind', 'options', 'inner', 'internal', 'hidden', 'other', 'extra'];
const KEY = fc.constantFrom(...NAMES, ...MORE_NAMES);
const VALUE = fc.oneof(
  { arbitrary: LIKELY, weight: 3 },
  { arbitrary: INSIDE, weight: 3 },
  { arbitrary: fc.anything({ key: KEY, withBigInt: true, withDate: true, maxDepth: 2 }), weight: 1 },
);

/** A payload that is right in most fields of a class, and wrong or random in some. */
const PAYLOAD = fc.oneof(
  fc.dictionary(KEY, VALUE, { maxKeys: 20 }),
  fc.record(Object.fromEntries([...NAMES, ...MORE_NAMES].map((name) => [name, VALUE]))),
);

const NEAR_VALID: Record<string, Record<string, unknown>> = {
  Texts: { text: 'abc', word: 'abc', id: '0b39a5fc-9d22-4f6e-8d8c-1f2f3a4b5c6d' },
  Numbers: { n: 5, price: 1.25, flag: true },
  Choices: { color: 'red', choice: 'three' },
  Addresses: { email: 'a@b.example', url: 'https://example.com', at: '2026-11-22T10:00:00Z' },
  Lists: { items: ['a', 'b'], numbers: [1, 2] },
  Conditional: { kind: 'text', text: 'x', n: 1 },
  Inheriting: { text: 'x', n: 5, flag: false },
  Defaults: { text: 'x', n: 1, options: {} },
  Anything: { text: 1, n: 'x', options: {} },
  Custom: { items: [1, 2], n: 2 },
  SetDefault: { items: ['a'] },
  Nested: { inner: TEXTS_INSIDE },
  NestedOptional: { text: 'x', inner: TEXTS_INSIDE },
  NestedList: { items: [NUMBERS_INSIDE, NUMBERS_INSIDE] },
  NestedOptionalList: { items: [TEXTS_INSIDE, TEXTS_INSIDE] },
  NestedDefault: { items: [TEXTS_INSIDE], inner: TEXTS_INSIDE },
  NestedConditional: { n: 1, inner: TEXTS_INSIDE },
  NestedByPayload: { kind: 'text', inner: TEXTS_INSIDE },
  NestedTree: { text: 'x', inner: { text: 'y', inner: { text: 'z' } } },
  NestedWithRule: { inner: TEXTS_INSIDE },
};

function payloadsFor({ name }: Type): fc.Arbitrary<Record<string, unknown>> {
  const valid = NEAR_VALID[name] ?? {};
  const near = fc
    .dictionary(fc.constantFrom(...Object.keys(valid), 'extra'), VALUE, { maxKeys: 2 })
    .map((changes) => ({ ...valid, ...changes }));
  return fc.oneof(near, PAYLOAD);
}

type Verdict = { readonly isValid: true; readonly instance: object } | { readonly isValid: false };

async function verdictOfClassValidator(messageClass: Type, payload: object): Promise<Verdict> {
  try {
    return { isValid: true, instance: await judge(messageClass, payload) };
  } catch (error) {
    if (!(error instanceof GatehouseError)) throw error;
    return { isValid: false };
  }
}

const named = (classes: readonly Type[]): [string, Type][] => classes.map((one) => [one.name, one]);

describe('the compiled check', () => {
  it.each(named(FLAT_CLASSES))('agrees with class-validator on every payload of %s', async (_name, messageClass) => {
    const check = compileCheck(messageClass);
    expect(check).toBeDefined();
    const seen = { valid: 0, invalid: 0 };
    await fc.assert(
      fc.asyncProperty(payloadsFor(messageClass), async (payload) => {
        const copy = { ...payload };
        const instance = check?.(payload);
        const verdict = await verdictOfClassValidator(messageClass, payload);
        expect(instance !== undefined).toBe(verdict.isValid);
        if (verdict.isValid) {
          expect(instance).toBeInstanceOf(messageClass);
          expect(instance).toEqual(verdict.instance);
          expect(Object.keys(instance ?? {}).sort()).toEqual(Object.keys(verdict.instance).sort());
        }
        expect(payload).toEqual(copy);
        seen[verdict.isValid ? 'valid' : 'invalid'] += 1;
      }),
      { numRuns: 400 },
    );
    expect(seen.valid).toBeGreaterThan(20);
    expect(seen.invalid).toBeGreaterThan(20);
  });

  it.each(named(NESTED_CLASSES))(
    'takes no payload of %s that class-validator does not',
    async (_name, messageClass) => {
      const check = compileCheck(messageClass);
      const seen = { taken: 0, left: 0, invalid: 0 };
      await fc.assert(
        fc.asyncProperty(payloadsFor(messageClass), async (payload) => {
          const before = inspect(payload, { depth: 5 });
          const instance = check?.(payload);
          const verdict = await verdictOfClassValidator(messageClass, payload);
          if (!verdict.isValid) seen.invalid += 1;
          else seen[instance === undefined ? 'left' : 'taken'] += 1;
          if (instance === undefined) return;
          expect(instance).toBeInstanceOf(messageClass);
          expect({ isValid: true, instance }).toStrictEqual(verdict);
          expect(inspect(payload, { depth: 5 })).toBe(before);
        }),
        { numRuns: 600 },
      );
      expect(seen.taken).toBeGreaterThan(20);
      expect(seen.invalid).toBeGreaterThan(20);
    },
  );

  it.each(named(NESTED_CLASSES))('takes a payload of %s that is valid', (name, messageClass) => {
    const instance = compileCheck(messageClass)?.(NEAR_VALID[name] ?? {});
    expect(instance).toEqual(expect.objectContaining(NEAR_VALID[name] ?? {}));
  });

  it.each([new Map(), new Set(), Buffer.of(1), new (class extends Numbers {})()])(
    'leaves to class-validator a nested value that no codec makes: %o',
    (inner) => {
      expect(compileCheck(Nested)?.({ inner })).toBeUndefined();
    },
  );

  it('leaves to class-validator a class that depends on what is made of the payload so far', () => {
    for (const payload of [
      { kind: 'text', inner: TEXTS_INSIDE },
      { inner: TEXTS_INSIDE, kind: 'text' },
    ])
      expect(compileCheck(NestedByInstance)?.(payload)).toBeUndefined();
  });

  it('leaves to class-validator what is too deep for it', async () => {
    let payload: Record<string, unknown> = { text: 'x' };
    for (let depth = 0; depth < 50_000; depth += 1) payload = { text: 'x', inner: payload };
    expect(compileCheck(NestedTree)?.(payload)).toBeUndefined();
    expect(await verdictOfClassValidator(NestedTree, payload)).toEqual({ isValid: false });
  });

  it.each(named(OTHER_CLASSES))('leaves %s to class-validator', (_name, messageClass) => {
    expect(compileCheck(messageClass)).toBeUndefined();
  });

  it('leaves to class-validator what turns out to be asynchronous', async () => {
    const check = compileCheck(Asynchronous);
    expect(check?.({ text: 'known' })).toBeUndefined();
    expect(await verdictOfClassValidator(Asynchronous, { text: 'known' })).toMatchObject({ isValid: true });
    expect(await verdictOfClassValidator(Asynchronous, { text: 'unknown' })).toEqual({ isValid: false });
  });

  it('is what the pipe takes: the instance is there at once where it can be', async () => {
    const pipe = new MessageValidationPipe();
    for (const messageClass of FLAT_CLASSES) {
      const transform = pipe.transformFor({ type: 'body', metatype: messageClass, data: undefined });
      expect(transform?.(NEAR_VALID[messageClass.name])).toBeInstanceOf(messageClass);
    }
    const transform = pipe.transformFor({ type: 'body', metatype: Transformed, data: undefined });
    const pending = transform?.({ n: '5' });
    expect(pending).toBeInstanceOf(Promise);
    expect(await pending).toEqual({ n: 5 });
  });

  it('and class-validator refuse hostile field names instead of failing on them', async () => {
    for (const value of [{ constructor: 'x' }, { constructor: { name: 'x' } }, [{ constructor: 1 }]]) {
      const payload = { text: 5, options: value, inner: value, word: value };
      for (const messageClass of [...FLAT_CLASSES, Nested]) {
        expect(await verdictOfClassValidator(messageClass, payload)).toEqual({ isValid: false });
      }
    }
  });

  it.each([1e-7, 5e-324, -1e-21])('and class-validator take %d for a number of too many decimals', async (price) => {
    const payload = { n: 1, price, flag: true };
    expect(compileCheck(Numbers)?.(payload)).toBeUndefined();
    expect(await verdictOfClassValidator(Numbers, payload)).toEqual({ isValid: false });
  });
});

describe('the validation pipe', () => {
  const pipe = new MessageValidationPipe();

  it('has nothing to do with what is no payload, and with classes that have no rules', () => {
    class Plain {
      text!: string;
    }
    const parameters: ArgumentMetadata[] = [
      { type: 'custom', metatype: FLAT_CLASSES[0], data: undefined },
      { type: 'body', metatype: undefined, data: undefined },
      ...[Object, String, Array, Plain].map((metatype) => ({ type: 'body' as const, metatype, data: undefined })),
    ];
    for (const parameter of parameters) {
      expect(pipe.transformFor(parameter)).toBeUndefined();
      expect(pipe.transform('as it is', parameter)).toBe('as it is');
    }
  });
});
