import { Injectable } from '@nestjs/common';
import type { ContractModel } from './contract-model.js';
import { MessageCatalogue } from './message-catalogue.js';
import type { PayloadType } from './payload-type.js';
import { RESERVED_NAMES } from './rendering/envelopes.js';
import type { JsonSchema } from './schemas/json-schema.js';
import { SchemaCollection } from './schemas/schema-collection.js';

/** Makes the contract of the running application. */
@Injectable()
export class ContractBuilder {
  private built: Promise<ContractModel> | undefined;

  constructor(private readonly catalogue: MessageCatalogue) {}

  /** Made once, when it is first asked for: a server whose contract nobody reads loads nothing for it. */
  build(): Promise<ContractModel> {
    this.built ??= this.make();
    return this.built;
  }

  private async make(): Promise<ContractModel> {
    const { ValidatorClassSchemas } = await import('./schemas/validator-class-schemas.js');
    const schemas = new SchemaCollection(new ValidatorClassSchemas(), RESERVED_NAMES);
    const { catalogue } = this;
    const requests = catalogue.requests().map(({ data, reply, ...request }) => ({
      ...request,
      data: schemaOf(data, schemas),
      reply: schemaOf(reply, schemas),
    }));
    const events = catalogue.events().map(({ type, data }) => ({ type, data: data ? schemas.of(data) : {} }));
    const publications = catalogue
      .publications()
      .map(({ namespace, data }) => ({ namespace, data: data ? schemas.of(data) : {} }));
    return { homePath: catalogue.homePath, requests, events, publications, schemas: schemas.byName };
  }
}

function schemaOf(payload: PayloadType, schemas: SchemaCollection): JsonSchema | undefined {
  switch (payload.kind) {
    case 'none':
      return undefined;
    case 'any':
      return {};
    case 'plain':
      return { type: payload.name };
    case 'declared':
      return schemas.of(payload.type);
    default:
      return objectOf(payload.fields, schemas);
  }
}

/** Only fields that are message classes are validated, so only they must be there. */
function objectOf(fields: Readonly<Record<string, PayloadType>>, schemas: SchemaCollection): JsonSchema {
  const entries = Object.entries(fields);
  const properties = Object.fromEntries(entries.map(([name, field]) => [name, schemaOf(field, schemas) ?? {}]));
  const required = entries.filter(([, { kind }]) => kind === 'declared').map(([name]) => name);
  return { type: 'object', properties, ...(required.length > 0 && { required }) };
}
