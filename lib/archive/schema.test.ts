import { expect, it } from '@jest/globals';
import { SpanRows } from './rows/span-rows.ts';
import { TraceRows } from './rows/trace-rows.ts';
import { ARCHIVE_SCHEMA } from './schema.ts';

it.each([
  ['spans', new SpanRows()],
  ['traces', new TraceRows()],
] as const)('writes the columns of %s that the schema declares', (dataset, rows) => {
  expect(rows.columns().map(({ name, type }) => [name, type])).toEqual(
    ARCHIVE_SCHEMA[dataset].map(({ name, type }) => [name, type]),
  );
});
