/** The OpenAPI schema of a field that may have any value. */
export const ANY_JSON = {
  description: 'Any value',
  nullable: true,
  anyOf: [
    { type: 'object', additionalProperties: true },
    { type: 'array', items: {} },
    { type: 'string' },
    { type: 'number' },
    { type: 'boolean' },
  ],
};
