import { ARCHIVE_SCHEMA, type ColumnType } from '../../lib/archive/schema.ts';

/** How each engine comes to a table of spans; `traces` is defined likewise. */
export function tableDefinitions(): string {
  return `## DuckDB

\`spanloom sql\` has both views without any set-up; [examples/sql](../examples/sql) are questions for it: the slowest endpoints of each hour, error rate by version, N+1 queries, cost per team.

    spanloom sql --since 24h "$(cat examples/sql/slowest-endpoints.sql)"

DuckDB itself, with \`httpfs\` loaded and the bucket's credentials set:

${sql(`CREATE VIEW spans AS
  SELECT * FROM read_parquet('s3://BUCKET/PREFIX/spans/v1/*/*/*.parquet', hive_partitioning = true);`)}
## Athena

Partition projection finds the hours without a crawler. Always ask for a range of \`dt\`.

${sql(`CREATE EXTERNAL TABLE spans (
${columns(HIVE_TYPES, '`')}
)
PARTITIONED BY (dt string, hour string)
STORED AS PARQUET
LOCATION 's3://BUCKET/PREFIX/spans/v1/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt.type' = 'date',
  'projection.dt.format' = 'yyyy-MM-dd',
  'projection.dt.range' = '2026-01-01,NOW',
  'projection.hour.type' = 'integer',
  'projection.hour.range' = '0,23',
  'projection.hour.digits' = '2',
  'storage.location.template' = 's3://BUCKET/PREFIX/spans/v1/dt=\${dt}/hour=\${hour}/'
);`)}
## Trino

In a catalog of the Hive connector; the procedure finds new hours.

${sql(`CREATE TABLE spans (
${columns(TRINO_TYPES)},
  dt varchar,
  hour varchar
)
WITH (
  format = 'PARQUET',
  external_location = 's3://BUCKET/PREFIX/spans/v1/',
  partitioned_by = ARRAY['dt', 'hour']
);
CALL system.sync_partition_metadata('SCHEMA', 'spans', 'ADD');`)}
## Spark

${sql(`CREATE TABLE spans (
${columns(HIVE_TYPES)},
  dt string,
  hour string
)
USING parquet
PARTITIONED BY (dt, hour)
LOCATION 's3a://BUCKET/PREFIX/spans/v1/';
MSCK REPAIR TABLE spans;`)}
## ClickHouse

Without a copy; to have one, \`INSERT INTO … SELECT * FROM spans\`.

${sql(`CREATE TABLE spans (
${columns(CLICKHOUSE_TYPES)}
)
ENGINE = S3('https://BUCKET.s3.REGION.amazonaws.com/PREFIX/spans/v1/**.parquet', 'ACCESS_KEY', 'SECRET_KEY', 'Parquet');`)}`;
}

function sql(statement: string): string {
  return `\`\`\`sql\n${statement}\n\`\`\`\n`;
}

function columns(types: Readonly<Record<ColumnType, string>>, quote = ''): string {
  return ARCHIVE_SCHEMA.spans.map(({ name, type }) => `  ${quote}${name}${quote} ${types[type]}`).join(',\n');
}

const HIVE_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'string',
  int32: 'int',
  int64: 'bigint',
  bool: 'boolean',
  timestamp: 'timestamp',
};

const TRINO_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'varchar',
  int32: 'integer',
  int64: 'bigint',
  bool: 'boolean',
  timestamp: 'timestamp(6)',
};

const CLICKHOUSE_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'Nullable(String)',
  int32: 'Nullable(Int32)',
  int64: 'Nullable(Int64)',
  bool: 'Nullable(Bool)',
  timestamp: "Nullable(DateTime64(6, 'UTC'))",
};
