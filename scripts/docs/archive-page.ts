import { ARCHIVE_SCHEMA, type ArchiveColumn } from '../../lib/archive/schema.ts';
import { costs, measured } from './archive-costs.ts';
import { tableDefinitions } from './archive-tables.ts';
import { GENERATED, table } from './markdown.ts';

/** The columns of the archive, and table definitions for the engines that read it, from its schema. */
export async function archivePage(): Promise<string> {
  return `# The archive

${GENERATED}

Complete traces as Parquet with zstd, readable by anything that reads Parquet. Below the prefix (\`SPANLOOM_PREFIX\`), by the hour in UTC in which the trace began:

    spans/v1/dt=2026-01-31/hour=07/*.parquet     a row per span, sorted by trace id
    traces/v1/dt=2026-01-31/hour=07/*.parquet    a row per trace and revision; spans_object names where its spans are
    spans_compacted/v1/…  traces_compacted/v1/…  the same rows in large objects, after \`spanloom archive compact\`
    spans_otlp/v1/dt=…/hour=…/*.otlp.zst         in the place of spans/, with ARCHIVE_FORMAT=otlp: see design/archive-otlp.md
    traces_ids/v1/dt=2026-01-31/*.ids            which object of traces has a trace id, for \`spanloom traces get\` and the console
    _chain/…                                     which offsets are in which objects, for the archiver; readers leave it out

Glob \`spans/v1\` or \`spans_compacted/v1\`, never both: rows would be there twice, while \`spanloom sql\` reads the manifests and counts each once. [design/archive-compaction.md](design/archive-compaction.md) says what each glob sees when.

Spans that come after their trace was closed are a further revision beside it: rows of \`spans\` are complete without any care, rows of \`traces\` are added up by trace id, as the view \`traces\` of \`spanloom sql\` does. [design/archive-read.md](design/archive-read.md) says how traces are found, [design/archive-chain.md](design/archive-chain.md) how each is written once.

## spans

${columnTable(ARCHIVE_SCHEMA.spans)}
### Columns of your own

\`ARCHIVE_PROMOTED_ATTRIBUTES=default,tenant.id,cart.items:int,resource:team\` adds \`tenant_id\`, \`cart_items\` and \`team\`. Such an attribute stays in the JSON too: queries of \`attributes\` go on, spans come back as they were, and values of another type are not lost. The setting may change at any time, and need not be the same in all archivers: [the chain](design/archive-chain.md) says for each range which columns it has. In objects of before a column is missing:

| reader | what it does about it |
| --- | --- |
| \`spanloom sql\`, compaction | null; text where some objects have text and others numbers |
| DuckDB | \`read_parquet(…, union_by_name = true)\` |
| Athena, Trino, Spark | add the column to the table; null where an object has none |
| ClickHouse | \`input_format_parquet_allow_missing_columns = 1\`, the default |

Of what is archived as OTLP the reader decides: \`spanloom sql\` and \`spanloom archive compact\` read the same setting.

## traces

${columnTable(ARCHIVE_SCHEMA.traces)}
${tableDefinitions()}
${measured()}${costs()}`;
}

function columnTable(columns: readonly ArchiveColumn[]): string {
  return table(
    ['column', 'type', 'what it is'],
    columns.map(({ name, type, description }) => [`\`${name}\``, type, description]),
  );
}
