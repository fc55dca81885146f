import { referenceIn, type JsonSchema } from '../schemas/json-schema.js';
import { tightenedBounds } from './bounds.js';
import type { BreakingChange, BreakingKind } from './breaking-change.js';
import { isWithin, typesOf } from './schema-types.js';

type Schemas = Readonly<Record<string, JsonSchema>>;

/** Two contracts, and who writes what is compared: clients must still be able to send, and to read. */
export interface Comparison {
  readonly before: Schemas;
  readonly after: Schemas;
  readonly writer: 'client' | 'server';
}

/** What breaks clients between two schemas of the same data. `where` is the path of the data, such as `chat.join: data.room`. */
export function schemaChanges(
  where: string,
  { before, after }: { readonly before: JsonSchema; readonly after: JsonSchema },
  comparison: Comparison,
): BreakingChange[] {
  return new SchemaChanges(comparison).between(where, before, after);
}

class SchemaChanges {
  private readonly seen = new Set<string>();
  private readonly changes: BreakingChange[] = [];

  constructor(private readonly comparison: Comparison) {}

  between(where: string, before: JsonSchema, after: JsonSchema): BreakingChange[] {
    this.compare(where, before, after);
    return this.changes;
  }

  private compare(where: string, givenBefore: JsonSchema, givenAfter: JsonSchema): void {
    // Classes may contain themselves.
    const pair = `${givenBefore.$ref ?? ''} ${givenAfter.$ref ?? ''}`;
    if (pair !== ' ' && this.seen.has(pair)) return;
    this.seen.add(pair);
    const before = resolved(givenBefore, this.comparison.before);
    const after = resolved(givenAfter, this.comparison.after);
    if (!this.keepsType(where, before, after)) return;
    if (this.comparison.writer === 'client') this.compareLimits(where, before, after);
    this.compareFields(where, before, after);
    if (before.items && after.items) this.compare(`${where}[]`, before.items, after.items);
    const { additionalProperties: valuesBefore } = before;
    const { additionalProperties: valuesAfter } = after;
    if (typeof valuesBefore === 'object' && typeof valuesAfter === 'object')
      this.compare(`${where}.*`, valuesBefore, valuesAfter);
  }

  /** What clients could send must still be taken; what they could read must be all there is. */
  private keepsType(where: string, before: JsonSchema, after: JsonSchema): boolean {
    const [inner, outer] = this.comparison.writer === 'client' ? [before, after] : [after, before];
    if (isWithin(inner, outer)) return true;
    this.add('changed field type', `${where} is now ${typesOf(after)}; it was ${typesOf(before)}`);
    return false;
  }

  private compareLimits(where: string, before: JsonSchema, after: JsonSchema): void {
    const allowed = after.enum;
    if (allowed !== undefined) {
      const refused = before.enum?.filter((value) => !allowed.includes(value)) ?? ['any other value'];
      for (const value of refused) {
        const named = before.enum === undefined ? String(value) : JSON.stringify(value);
        this.add('narrowed enum', `${where} may no longer be ${named}`);
      }
    }
    for (const sentence of tightenedBounds(before, after)) this.add('tightened bounds', `${where} ${sentence}`);
  }

  private compareFields(where: string, before: JsonSchema, after: JsonSchema): void {
    const isSent = this.comparison.writer === 'client';
    const fieldsAfter = after.properties ?? {};
    for (const [name, field] of Object.entries(before.properties ?? {})) {
      const path = `${where}.${name}`;
      const present = fieldsAfter[name];
      if (present !== undefined) this.compare(path, field, present);
      else if (after.properties === undefined) continue;
      else if (isSent) this.add('removed request field', `${path} is gone: the server no longer reads it`);
      else this.add('removed reply field', `${path} is gone`);
    }
    for (const name of isSent ? newlyRequired(before, after) : newlyRequired(after, before)) {
      const path = `${where}.${name}`;
      if (isSent) this.add('new required field', `${path} must now be there`);
      else if (name in fieldsAfter) this.add('field may be absent', `${path} was always there, and may now be absent`);
    }
  }

  private add(kind: BreakingKind, sentence: string): void {
    this.changes.push({ kind, sentence });
  }
}

function newlyRequired(before: JsonSchema, after: JsonSchema): string[] {
  return (after.required ?? []).filter((name) => !before.required?.includes(name));
}

function resolved(schema: JsonSchema, schemas: Schemas): JsonSchema {
  const name = referenceIn(schema);
  return name === undefined ? schema : (schemas[name] ?? {});
}
