import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, type CollectionTag, type ScalarTag } from 'yaml';
import { OUTCOMES } from '../../src/serverless/outcomes.js';
import { TABLE_DEFINITIONS } from '../support/serverless-tables.js';

type Resource = { readonly Type: string; readonly Properties: Record<string, unknown> };

const FUNCTIONS = ['Ref', 'GetAtt', 'Sub', 'If', 'Not', 'Equals'];
/** The short forms of CloudFormation's functions, each as an object with its name. */
const TAGS: (ScalarTag | CollectionTag)[] = FUNCTIONS.flatMap((name) => [
  { tag: `!${name}`, resolve: (value: string) => ({ [name]: value }) },
  { tag: `!${name}`, collection: 'seq', resolve: (value) => ({ [name]: value }) as never },
]);

const text = readFileSync('deploy/serverless/template.yaml', 'utf8');
const template = parse(text, { customTags: TAGS }) as {
  readonly Parameters: Record<string, unknown>;
  readonly Resources: Record<string, Resource>;
};
const { Resources: resources } = template;

function propertiesOf(name: string): Record<string, unknown> {
  const { [name]: resource } = resources;
  if (resource === undefined) throw new Error(`The template has no ${name}`);
  return resource.Properties;
}

describe('deploy/serverless/template.yaml', () => {
  it.each([
    ['Connections', 'connections'],
    ['Subscriptions', 'subscriptions'],
    ['Channels', 'channels'],
  ] as const)('makes the table %s as the tests do, with a time to live', (name, table) => {
    const { BillingMode, TimeToLiveSpecification, ...definition } = propertiesOf(name);
    expect(definition).toEqual(TABLE_DEFINITIONS[table]);
    expect(BillingMode).toBe('PAY_PER_REQUEST');
    expect(TimeToLiveSpecification).toEqual({ AttributeName: 'expiresAt', Enabled: true });
  });

  it('lets the function do what it does, and no more: no scan, and nothing with every resource', () => {
    const [{ PolicyDocument }] = propertiesOf('FunctionRole').Policies as [
      { PolicyDocument: { Statement: { Action: string | string[]; Resource: unknown }[] } },
    ];
    const actions = PolicyDocument.Statement.flatMap(({ Action }) => Action);
    expect(actions.toSorted()).toEqual([
      'dynamodb:BatchWriteItem',
      'dynamodb:DeleteItem',
      'dynamodb:GetItem',
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'execute-api:ManageConnections',
      'lambda:InvokeFunction',
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
    expect(PolicyDocument.Statement.map(({ Resource }) => Resource)).not.toContain('*');
  });

  it('has every route that a client needs, on one integration', () => {
    const routes = Object.values(resources).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route');
    const keys = routes.map(({ Properties }) => Properties.RouteKey);
    expect(keys).toEqual(expect.arrayContaining(['$connect', '$disconnect', '$default', 'send_message']));
    expect(new Set(routes.map(({ Properties }) => JSON.stringify(Properties.Target))).size).toBe(1);
    expect(propertiesOf('Api')).toMatchObject({
      ProtocolType: 'WEBSOCKET',
      RouteSelectionExpression: '$request.body.type',
    });
  });

  it('runs on arm64, keeps processes warm only if asked, and keeps logs for a time', () => {
    const { ProvisionedConcurrencyConfig: kept, ...properties } = propertiesOf('Function');
    expect(properties).toMatchObject({ Architectures: ['arm64'], AutoPublishAlias: 'live' });
    expect(JSON.stringify(kept)).toMatch(/^\{"If":\["IsKeptWarm",.*\{"Ref":"AWS::NoValue"\}\]\}$/);
    expect(propertiesOf('Logs').RetentionInDays).toEqual({ Ref: 'LogRetentionDays' });
  });

  it('refers to nothing that is not there', () => {
    const known = new Set([...Object.keys(resources), ...Object.keys(template.Parameters)]);
    const named = [
      ...[...text.matchAll(/!Ref ([\w:]+)/g)].map(([, name = '']) => name),
      ...[...text.matchAll(/!GetAtt (\w+)\./g)].map(([, name = '']) => name),
      ...[...text.matchAll(/\$\{([A-Z][\w:]+)(?:\.\w+)?\}/g)].map(([, name = '']) => name),
    ];
    expect(named.filter((name) => !name.startsWith('AWS::') && !known.has(name))).toEqual([]);
  });
});

describe('docs/serverless.md', () => {
  it('names every outcome of an event, with its meaning', () => {
    const [, section = ''] = readFileSync('docs/serverless.md', 'utf8').split('## Outcomes');
    const rows = [...section.matchAll(/^\| `(\w+)`\s+\| (.*?)\.\s+\|$/gm)];
    const documented = Object.fromEntries(
      rows.map(([, name = '', meaning = '']) => [name, meaning.replaceAll('`', '')]),
    );
    expect(documented).toEqual(OUTCOMES);
  });
});
