import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { incidentRecord } from '../../lib/testkit/incident-record.ts';
import { ConsoleWorld } from './testing/console-world.ts';
import { FAILED_ID, failedOrder, healthySearch, SHOP_MS, shopCalls } from './testing/shop.ts';

const NOW_MS = SHOP_MS + 60_000;
const RANGE = `from=${SHOP_MS - 10_000}&to=${NOW_MS}`;
const incident = incidentRecord({
  openedAt: SHOP_MS * 1000,
  detectedAt: (SHOP_MS + 12_000) * 1000,
  updatedAt: (SHOP_MS + 12_000) * 1000,
  firstErrorAt: SHOP_MS * 1000,
});
const INCIDENT = `/api/console/incidents/${incident.incidentId}`;

const folder = new URL('./testdata/api/', import.meta.url);
const document = parse(readFileSync(new URL('./openapi.yaml', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, { schema: Ref }> }> }>>;
};
const ajv = new Ajv2020({ strict: false, allErrors: true }).addSchema({ ...document, $id: 'console' });

interface Ref {
  $ref?: string;
}

/** undefined: as the schema says. */
function problems(schema: string, json: unknown): unknown {
  const validate = ajv.getSchema(`console#/components/schemas/${schema}`);
  if (validate === undefined) return `there is no schema ${schema}`;
  return validate(json) === true ? undefined : validate.errors;
}

const SCHEMA_OF: Readonly<Record<string, string>> = {
  health: 'Health',
  services: 'Services',
  operations: 'Operations',
  graph: 'Graph',
  'graph-event': 'GraphEvent',
  series: 'Series',
  traces: 'Traces',
  trace: 'Trace',
  span: 'SpanDetail',
  typical: 'TypicalTrace',
  incidents: 'Incidents',
  incident: 'Incident',
  error: 'Error',
};

describe('the examples of the API', () => {
  it.each(readdirSync(folder))('%s is as openapi.yaml says', (file) => {
    const schema = SCHEMA_OF[file.replace('.json', '')] as string;
    expect(problems(schema, JSON.parse(readFileSync(new URL(file, folder), 'utf8')))).toBeUndefined();
  });
});

const JSON_HEADERS = { 'content-type': 'application/json' };
const SEARCH =
  'service=payment&attribute=db.system.name=postgresql&error=true&durationMinMs=1&durationMaxMs=1000&limit=5';
const TRACE = `/api/console/traces/${FAILED_ID}`;

/** Every route, asked with all of its parameters; `at` is the path in openapi.yaml. */
const ASKED: readonly (readonly [at: string, path: string, init?: RequestInit])[] = [
  ['/api/console/health', '/api/console/health'],
  ['/api/console/services', `/api/console/services?${RANGE}`],
  ['/api/console/operations', '/api/console/operations?service=payment&kind=client'],
  ['/api/console/graph', `/api/console/graph?${RANGE}`],
  ['/api/console/graph', `/api/console/graph?${RANGE}&baselineFrom=${SHOP_MS - 600_000}&baselineTo=${SHOP_MS}`],
  ['/api/console/graph/series', `/api/console/graph/series?${RANGE}&service=payment`],
  [
    '/api/console/graph/series',
    `/api/console/graph/series?${RANGE}&client=payment&server=orders-db&connectionType=database`,
  ],
  ['/api/console/traces', `/api/console/traces?${RANGE}&operation=UPDATE%20stock&${SEARCH}`],
  ['/api/console/traces/{traceId}', `${TRACE}?details=true`],
  ['/api/console/traces/{traceId}', `${TRACE}?details=false`],
  ['/api/console/traces/{traceId}/spans/{spanId}', `${TRACE}/spans/0000000000000003?index=2`],
  ['/api/console/traces/{traceId}/typical', `${TRACE}/typical`],
  ['/api/console/incidents', `/api/console/incidents?state=active&${RANGE}&limit=10`],
  ['/api/console/incidents/{incidentId}', INCIDENT],
  [
    '/api/console/incidents/{incidentId}/acknowledgement',
    `${INCIDENT}/acknowledgement`,
    { method: 'PUT', headers: JSON_HEADERS, body: '{"acknowledged":true,"by":"Noor"}' },
  ],
  [
    '/api/console/incidents/{incidentId}/notes',
    `${INCIDENT}/notes`,
    { method: 'POST', headers: JSON_HEADERS, body: '{"text":"Failing over.","by":"Noor"}' },
  ],
];
/** What is no JSON; held by http-server.test.ts. */
const OTHERS = ['/api/console/events', '/api/console/session', '/api/console/openapi.yaml'];

describe('the answers of a running console', () => {
  let world: ConsoleWorld;
  beforeAll(async () => {
    world = await new ConsoleWorld({ nowMs: NOW_MS }).listen();
    world.addTrace(failedOrder());
    world.addTrace(healthySearch());
    world.addDeltas(shopCalls());
    world.addDeltas(shopCalls(SHOP_MS - 300_000));
    world.addIncidents([incident]);
  });
  afterAll(() => world.close());

  it.each(ASKED)('%s is as openapi.yaml says: %s', async (at, path, init = {}) => {
    const { status, json } = await world.get(path, init);
    const method = (init.method ?? 'GET').toLowerCase();
    const schema = document.paths[at]?.[method]?.responses['200']?.content?.['application/json']?.schema.$ref;
    expect([status, problems(schema?.split('/').at(-1) ?? '', json)]).toEqual([200, undefined]);
  });

  it('are asked of every route that openapi.yaml has', () => {
    expect([...new Set([...ASKED.map(([at]) => at), ...OTHERS])].sort()).toEqual(Object.keys(document.paths).sort());
  });

  it.each(ASKED.filter(([, path]) => path.includes('?')))('%s refuses what it does not know', async (_at, path) => {
    const { status, json } = await world.get(`${path}&colour=red`);
    expect([status, problems('Error', json), (json as { error: { field: string } }).error.field]).toEqual([
      400,
      undefined,
      'colour',
    ]);
  });

  it.each([
    [`/api/console/graph?from=${NOW_MS}&to=${SHOP_MS}`, 400, 'from'],
    ['/api/console/graph?from=yesterday', 400, 'from'],
    [`/api/console/graph?baselineTo=${SHOP_MS}`, 400, 'baselineFrom'],
    ['/api/console/graph/series', 400, 'service'],
    ['/api/console/traces?limit=5000', 400, 'limit'],
    ['/api/console/traces?attribute=nothing', 400, 'attribute'],
    [`/api/console/traces?service=${'x'.repeat(1025)}`, 400, 'service'],
    ['/api/console/traces?durationMinMs=5&durationMaxMs=4', 400, 'durationMinMs'],
    ['/api/console/traces/xyz', 400, 'traceId'],
    [`/api/console/traces/${'9'.repeat(32)}`, 404, undefined],
    [`${TRACE}/spans/0000000000000009`, 404, undefined],
    ['/api/console/incidents/0000000000000000', 404, undefined],
    ['/api/console/nothing', 404, undefined],
  ])('%s is answered with %i and the field %s', async (path, status, field) => {
    const answer = await world.get(path);
    const { error } = answer.json as { error: { field?: string } };
    expect([answer.status, problems('Error', answer.json), error.field]).toEqual([status, undefined, field]);
  });
});
