/** How the OpenAPI document shows a field that may be anything. */
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
