import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';

const folder = new URL('./testdata/api/', import.meta.url);
const document = parse(readFileSync(new URL('./openapi.yaml', import.meta.url), 'utf8'));
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
  const ajv = new Ajv2020({ strict: false, allErrors: true }).addSchema({ ...document, $id: 'console' });

  it.each(readdirSync(folder))('%s is as openapi.yaml says', (file) => {
    const name = file.replace('.json', '');
    const validate = ajv.getSchema(`console#/components/schemas/${SCHEMA_OF[name]}`);
    validate?.(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
    expect(validate?.errors).toBeNull();
  });
});
