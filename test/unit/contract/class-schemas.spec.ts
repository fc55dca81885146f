import { Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsDate,
  IsEmail,
  IsEnum,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsOptional,
  IsPositive,
  IsString,
  Length,
  Matches,
  Max,
  Min,
  registerDecorator,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { describe, expect, it } from 'vitest';
import { SchemaCollection } from '../../../src/contract/schemas/schema-collection.js';
import { ValidatorClassSchemas } from '../../../src/contract/schemas/validator-class-schemas.js';

enum Color {
  Red,
  Green,
}

function Even(): PropertyDecorator {
  return (target, propertyName) =>
    registerDecorator({
      name: 'even',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: { validate: (value) => Number(value) % 2 === 0 },
    });
}

class Base {
  @Length(1, 64)
  room!: string;
}

class Leaf {
  @IsInt()
  size!: number;
}

class Everything extends Base {
  @Min(0)
  @IsInt()
  count!: number;

  @IsInt()
  @Max(10)
  other!: number;

  @Min(1)
  bounded!: number;

  @IsPositive()
  @IsNumber()
  price!: number;

  @IsIn(['a', 'b'])
  letter!: string;

  @IsIn(['a', 1, null])
  mixed!: string | number | null;

  @IsEnum(Color)
  color!: Color;

  @Matches(/^\w+$/)
  word!: string;

  @Matches(/^a$/i)
  anyCase!: string;

  @IsNotEmpty()
  @IsString()
  filled!: string;

  @IsBoolean()
  flag!: boolean;

  @IsDate()
  @Type(() => Date)
  at!: Date;

  @IsEmail()
  mail!: string;

  @IsArray()
  @ArrayMaxSize(3)
  @IsString({ each: true })
  tags!: string[];

  @ValidateNested()
  @Type(() => Leaf)
  leaf!: Leaf;

  @ValidateNested({ each: true })
  @Type(() => Leaf)
  leaves!: Leaf[];

  @ValidateNested()
  @Type(() => Leaf)
  list!: Leaf[];

  @IsOptional()
  @ValidateNested()
  @Type(() => Everything)
  parent?: Everything;

  @Even()
  even!: number;

  @Allow()
  anything?: unknown;

  @IsOptional()
  @IsString()
  note?: string;

  @ValidateIf((_object, value) => value !== null)
  @IsInt()
  until!: number | null;
}

function collected(...classes: (new () => object)[]): SchemaCollection {
  const collection = new SchemaCollection(new ValidatorClassSchemas(), new Set(['Contract']));
  for (const each of classes) collection.of(each);
  return collection;
}

describe('the schema of a message class', () => {
  it('says what its rules say, whatever the order of the decorators', () => {
    expect(collected(Everything).byName.Everything).toEqual({
      type: 'object',
      properties: {
        room: { type: 'string', minLength: 1, maxLength: 64 },
        count: { type: 'integer', minimum: 0 },
        other: { type: 'integer', maximum: 10 },
        bounded: { type: 'number', minimum: 1 },
        price: { type: 'number', exclusiveMinimum: 0 },
        letter: { type: 'string', enum: ['a', 'b'] },
        mixed: { enum: ['a', 1, null] },
        color: { type: 'number', enum: [0, 1] },
        word: { type: 'string', pattern: '^\\w+$' },
        anyCase: { type: 'string' },
        filled: { type: 'string', minLength: 1 },
        flag: { type: 'boolean' },
        at: { type: 'string', format: 'date-time' },
        mail: { type: 'string', format: 'email' },
        tags: { type: 'array', items: { type: 'string' }, maxItems: 3 },
        leaf: { $ref: '#/components/schemas/Leaf' },
        leaves: { type: 'array', items: { $ref: '#/components/schemas/Leaf' } },
        list: { type: 'array', items: { $ref: '#/components/schemas/Leaf' } },
        parent: { $ref: '#/components/schemas/Everything' },
        even: { type: 'number' },
        anything: {},
        note: { type: 'string' },
        until: { type: ['integer', 'null'] },
      },
      required: expect.arrayContaining(['room', 'count', 'tags', 'leaf', 'even', 'until']) as string[],
    });
  });

  it('demands every field but those that may be absent', () => {
    const { properties = {}, required = [] } = collected(Everything).byName.Everything ?? {};
    const optional = Object.keys(properties).filter((name) => !required.includes(name));
    expect(optional.toSorted()).toEqual(['anything', 'note', 'parent']);
  });

  it('has a name of its own where several classes are called the same, or like a part of the document', () => {
    const [one, other] = [1, 2].map((max) => {
      class Message {
        @Max(max)
        size!: number;
      }
      return Message;
    });
    class Contract {
      @IsInt()
      size!: number;
    }
    const { byName } = collected(one ?? Base, other ?? Base, Contract);
    expect(Object.keys(byName)).toEqual(['Contract2', 'Message', 'Message2']);
    expect(byName.Message2?.properties?.size).toMatchObject({ maximum: 2 });
  });
});
