import { Exclude, Expose, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsDateString,
  IsDefined,
  IsEmail,
  IsEnum,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  IsUrl,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
  ValidatorConstraint,
  Validate,
  type ValidationArguments,
  type ValidatorConstraintInterface,
} from 'class-validator';

enum Color {
  Red = 'red',
  Blue = 'blue',
}

export class Texts {
  @IsString() @Length(1, 5) text!: string;
  @Matches(/^[a-z]+$/) word!: string;
  @IsOptional() @IsUUID() id?: string;
}

export class Numbers {
  @IsInt() @Min(0) @Max(10) n!: number;
  @IsNumber({ allowNaN: false, maxDecimalPlaces: 2 }) price!: number;
  @IsBoolean() flag!: boolean;
}

export class Choices {
  @IsEnum(Color) color!: Color;
  @IsIn([1, 2, 'three', null]) choice!: unknown;
}

export class Addresses {
  @IsEmail() email!: string;
  @IsUrl() url!: string;
  @IsOptional() @IsDateString() at?: string;
}

export class Lists {
  @IsArray() @ArrayMaxSize(3) @IsString({ each: true }) @Length(1, 5, { each: true }) items!: string[];
  @IsOptional() @ArrayNotEmpty() @IsInt({ each: true }) numbers?: number[];
}

export class Conditional {
  @IsIn(['text', 'n']) kind!: string;
  @ValidateIf((object: Conditional) => object.kind === 'text') @IsString() text?: string;
  @ValidateIf((object: Conditional) => object.kind === 'n') @IsInt() n?: number;
}

class Base {
  @IsString() text!: string;
  @IsInt() n!: number;
}

export class Inheriting extends Base {
  @Max(10) declare n: number;
  @IsBoolean() flag!: boolean;
}

export class Defaults {
  @IsString() text = 'default';
  @IsOptional() @IsInt() n?: number = 5;
  @IsObject() options: object = {};
}

export class Anything {
  @Allow() text: unknown;
  @IsDefined() @IsNotEmpty() n: unknown;
  @IsOptional() @IsObject() options?: object;
}

/** Looks at all that a constraint is told. */
@ValidatorConstraint({ name: 'fits' })
class Fits implements ValidatorConstraintInterface {
  validate(item: unknown, { value, object, property, targetName, constraints }: ValidationArguments): boolean {
    const [limit] = constraints as [number];
    const whole = (object as Record<string, unknown>)[property];
    if (targetName !== 'Custom' || !Object.is(whole, value)) return false;
    return Array.isArray(value) ? value.length <= limit && typeof item === 'number' : item === undefined;
  }
}

export class Custom {
  @Validate(Fits, [2], { each: true }) items?: number[];
  @ValidateBy({ name: 'even', validator: { validate: (value) => typeof value === 'number' && value % 2 === 0 } })
  n!: number;
}

/** A default that class-validator looks into and a plain rule does not. */
export class SetDefault {
  @IsNotEmpty({ each: true }) items: unknown = new Set(['']);
}

/** Those that the compiled check mirrors. */
export const FLAT_CLASSES = [
  Texts,
  Numbers,
  Choices,
  Addresses,
  Lists,
  Conditional,
  Inheriting,
  Defaults,
  Anything,
  Custom,
  SetDefault,
];

export class Nested {
  @ValidateNested() @Type(() => Texts) inner!: Texts;
}

export class NestedOptional {
  @IsString() text!: string;
  @IsOptional() @IsObject() @ValidateNested() @Type(() => Texts) inner?: Texts;
}

export class NestedList {
  @IsArray() @ArrayMaxSize(3) @ValidateNested({ each: true }) @Type(() => Numbers) items!: Numbers[];
}

export class NestedDefault {
  @ValidateNested({ each: true }) @Type(() => Texts) items: Texts[] = [];
  @ValidateNested() @Type(() => Texts) inner = Object.assign(new Texts(), { text: 'a', word: 'a' });
}

export class NestedOptionalList {
  @IsOptional() @ValidateNested({ each: true }) @Type(() => Texts) items?: Texts[];
}

/** Without a condition that holds, nothing is validated, and nothing is removed from it. */
export class NestedConditional {
  @IsInt() n!: number;
  @ValidateIf((object: NestedConditional) => object.n === 1) @ValidateNested() @Type(() => Texts) inner?: Texts;
}

/** Which class it is depends on the payload. */
export class NestedByPayload {
  @IsString() kind!: string;
  @ValidateNested() @Type((help) => (help?.object.kind === 'text' ? Texts : Numbers)) inner!: Texts | Numbers;
}

/** What class-transformer has made so far depends on the order of the payload. */
export class NestedByInstance {
  @IsString() kind!: string;
  @ValidateNested()
  @Type((help) => ((help?.newObject as { kind?: string } | undefined)?.kind === 'text' ? Texts : Numbers))
  inner!: Texts | Numbers;
}

export class NestedTree {
  @IsString() text!: string;
  @IsOptional() @ValidateNested() @Type(() => NestedTree) inner?: NestedTree;
}

/** Its own rule sees what the nested class does not have. */
export class NestedWithRule {
  @ValidateBy({ name: 'few', validator: { validate: (value) => Object.keys(value as object).length < 4 } })
  @ValidateNested()
  @Type(() => Texts)
  inner!: Texts;
}

/** Those whose compiled check may leave a payload to class-validator, but never takes one that is not valid. */
export const NESTED_CLASSES = [
  Nested,
  NestedOptional,
  NestedList,
  NestedOptionalList,
  NestedDefault,
  NestedConditional,
  NestedByPayload,
  NestedTree,
  NestedWithRule,
];

export class NestedWithoutType {
  @ValidateNested() inner!: Texts;
}

export class NestedUnvalidated {
  @Allow() @Type(() => Texts) inner!: Texts;
}

export class NestedByDiscriminator {
  @ValidateNested()
  @Type(() => Texts, { discriminator: { property: 'kind', subTypes: [{ value: Numbers, name: 'numbers' }] } })
  inner!: Texts | Numbers;
}

export class NestedMap {
  @ValidateNested() @Type(() => Texts) inner!: Map<string, Texts>;
}

export class Transformed {
  @Transform(({ value }) => Number(value)) @IsInt() n!: number;
}

export class Dated {
  @Type(() => Date) @IsDefined() at!: Date;
}

export class Renamed {
  @Expose({ name: 'text' }) @IsString() n!: string;
}

/** The name comes from a field without a rule. */
export class RenamedAside {
  @Expose({ name: 'text' }) other: unknown;
  @IsString() text!: string;
}

export class Excluding {
  @Exclude() @IsOptional() @IsString() text?: string;
}

@Exclude()
export class ExcludingAll {
  @Expose() @IsString() text!: string;
}

export class Asynchronous {
  @ValidateBy({ name: 'known', validator: { validate: (value) => Promise.resolve(value === 'known') } }) text!: string;
}

@ValidatorConstraint({ async: true })
class Slow implements ValidatorConstraintInterface {
  validate(value: unknown): Promise<boolean> {
    return Promise.resolve(value === 'known');
  }
}

export class DeclaredAsynchronous {
  @Validate(Slow) text!: string;
}

export class WithAccessor {
  private hidden = '';
  @IsString() get text(): string {
    return this.hidden;
  }
  set text(value: string) {
    this.hidden = value;
  }
}

export class WithUndeclaredDefault {
  @IsString() text!: string;
  internal = 'not of the client';
}

export class PerRule {
  @IsString({ validateIf: (object: PerRule) => object.n !== 1 }) text!: string;
  @Allow() n: unknown;
}

export class FunctionDefault {
  @IsDefined() text: unknown = () => 'a default that class-transformer keeps';
}

/** Those that only class-validator itself may judge. */
export const OTHER_CLASSES = [
  NestedWithoutType,
  NestedUnvalidated,
  NestedByDiscriminator,
  NestedMap,
  Transformed,
  Dated,
  Renamed,
  RenamedAside,
  Excluding,
  ExcludingAll,
  DeclaredAsynchronous,
  WithAccessor,
  WithUndeclaredDefault,
  PerRule,
  FunctionDefault,
];
