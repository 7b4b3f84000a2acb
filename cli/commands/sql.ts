import { Archive, CACHE_OPTIONS, RANGE_OPTIONS, rangeOf } from '../archive/open-archive.ts';
import { ROW_FORMATS, rowsText } from '../archive/print-rows.ts';
import { defineCommand, oneOf } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

export const command = defineCommand({
  name: 'sql',
  summary: 'Asks the archive in SQL (DuckDB) over the views spans and traces.',
  positionals: 'QUERY',
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    ...RANGE_OPTIONS,
    output: { type: 'string', short: 'o', value: 'FORMAT', description: 'table (default), json per line, or csv.' },
    ...CACHE_OPTIONS,
  },
  details: `Objects of the asked hours are copied from the bucket once. spans has a row per span, traces a row per trace
with its late spans added up; traces_rows has a row per revision. docs/archive.md lists the columns.
Exit code 2: objects were damaged or foreign and are not in the answer; each is named.`,
  examples: [
    "spanloom sql 'SELECT service, count(*) AS spans FROM spans GROUP BY ALL ORDER BY spans DESC'",
    "spanloom sql --since 7d -o csv 'SELECT trace_id, duration_ns FROM traces WHERE error_count > 0'",
    "spanloom sql 'DESCRIBE spans'",
  ],
  run(values, [query], io) {
    const format = oneOf(values.output ?? 'table', '--output', ROW_FORMATS);
    const range = rangeOf(values);
    return Archive.with(io, async (archive) => {
      const sql = await archive.sql(range, values);
      const result = await sql.query(query as string);
      const text = rowsText(result, format);
      if (text !== '') io.out(text);
      return EXIT.ok;
    });
  },
});
