import type { Type } from '@nestjs/common';
import { isMessageClass } from '../../dispatch/validation/message-class.js';
import type { DeclaredType } from '../declared-type.js';
import type { ClassSchemas } from './class-schemas.js';
import { SCHEMAS, type JsonSchema } from './json-schema.js';

/** The schemas of all classes that messages use, each under a name of its own. */
export class SchemaCollection {
  private readonly names = new Map<Type, string>();
  private readonly schemas: Record<string, JsonSchema> = {};

  /** @param reserved names that classes must not get */
  constructor(
    private readonly classes: ClassSchemas,
    private readonly reserved: ReadonlySet<string>,
  ) {}

  /** By name, sorted: the order of imports must not show in a committed file. */
  get byName(): Readonly<Record<string, JsonSchema>> {
    const sorted = Object.entries(this.schemas).toSorted(([one], [other]) => (one < other ? -1 : 1));
    return Object.fromEntries(sorted);
  }

  /** The schema that stands for the declared type; the class itself is added to the collection. */
  of(declared: DeclaredType): JsonSchema {
    if (typeof declared === 'function') return this.reference(declared);
    return { type: 'array', items: this.reference(declared[0]) };
  }

  private reference(messageClass: Type): JsonSchema {
    // Nothing is known of its fields.
    if (!isMessageClass(messageClass)) return { type: 'object' };
    const known = this.names.get(messageClass);
    if (known !== undefined) return { $ref: `${SCHEMAS}${known}` };
    const name = this.freeName(messageClass.name);
    this.names.set(messageClass, name);
    // Before its schema is made: a class may contain itself.
    this.schemas[name] = {};
    this.schemas[name] = this.classes.schemaOf(messageClass, (nested) => this.reference(nested));
    return { $ref: `${SCHEMAS}${name}` };
  }

  /** Two gateways may each have a class `Message`. */
  private freeName(wanted: string): string {
    const plain = wanted.replace(/[^A-Za-z0-9_]/g, '_') || 'Message';
    const isTaken = (name: string): boolean => this.reserved.has(name) || name in this.schemas;
    let name = plain;
    for (let number = 2; isTaken(name); number += 1) name = `${plain}${number}`;
    return name;
  }
}
