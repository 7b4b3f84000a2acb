import { table } from './markdown.ts';

/** Figures that were measured; bench/README.md says how, and has those of other machines. */
export function measured(): string {
  const rows = [
    [
      'writing Parquet, from the traces topic to stored objects',
      '87 000 – 88 000 spans per CPU-second, at most 300 MB',
    ],
    ['its size', '45 bytes a span, 49 with the index of traces'],
    ['writing OTLP (`ARCHIVE_FORMAT=otlp`)', '153 000 – 163 000 spans per CPU-second, at most 281 MB; 70 bytes a span'],
    ['a trace by its id, in a day of 100 objects', '3.8 objects, 319 KiB in 10 requests, 144 – 170 ms'],
    ['an id that is not there', '1.9 objects, 24 KiB in 3 requests, 19 – 22 ms'],
  ];
  return `## What it takes

\`npm run bench -- --stage archiver --spans 1000000\` and \`node scripts/run.js script bench/archive-lookup.ts --partitions 12\`, two runs of each on two cores with other work beside; times are medians against S3Proxy on the same machine.

${table(['what', 'measured'], rows)}
`;
}

/** What the archive costs in S3, by arithmetic that a reader can do again with prices of their own. */
export function costs(): string {
  const rows = [
    ['storing 1 million spans, a month', 'Parquet, 48 bytes each with the index', dollars((48e6 / 1e9) * GB_MONTH)],
    ['', 'OTLP, 70 bytes each with the index', dollars((70e6 / 1e9) * GB_MONTH)],
    [
      'storing 10 000 spans/s for 90 days',
      '3.7 TB of Parquet, a month',
      dollars((10_000 * 86_400 * 90 * 48 * GB_MONTH) / 1e9),
    ],
    [
      'writing, a month',
      `${PARTITIONS} partitions, every 5 minutes, 4 objects: ${putsPerMonth(5).toLocaleString('en')} puts, whatever the traffic`,
      dollars((putsPerMonth(5) / 1000) * THOUSAND_PUTS),
    ],
    ['', 'the same every 15 minutes', dollars((putsPerMonth(15) / 1000) * THOUSAND_PUTS)],
    ['Athena over 1 million spans', 'every column: 48 MB', dollars((48e6 / 1e12) * ATHENA_TB)],
    [
      '',
      'service, status and duration: about 4 MB, the least that is charged is 10 MB',
      dollars((10e6 / 1e12) * ATHENA_TB),
    ],
  ];
  return `## What it costs

With list prices of one region as an example: $${GB_MONTH} for a GB a month, $${THOUSAND_PUTS} for 1000 puts, $${ATHENA_TB} for a TB that Athena reads. Bytes are those of \`npm run bench -- --stage archiver\`; spans with more attributes take more.

${table(['what', 'how much', 'dollars'], rows)}
## Retention

[operations/s3/lifecycle.json](../operations/s3/lifecycle.json) expires what was compacted after 7 days, compacted objects after 90, and aborts uploads that nobody finished; run \`spanloom archive compact\` at least daily with it, or give \`spans/v1\` the 90 days and leave compaction out. The prefixes are those of \`SPANLOOM_PREFIX=spanloom\`:

    aws s3api put-bucket-lifecycle-configuration --bucket BUCKET --lifecycle-configuration file://operations/s3/lifecycle.json

\`_chain/\` has no rule: it is the archiver's position, and 400 bytes a range.
`;
}

function putsPerMonth(minutes: number): number {
  return ((PARTITIONS * 60) / minutes) * 24 * 30 * PUTS;
}

function dollars(amount: number): string {
  return amount < 1 ? amount.toPrecision(2) : amount.toFixed(2);
}

const PARTITIONS = 12;
/** Of a range of one hour: its entry in the chain, spans, traces, index of trace ids. */
const PUTS = 4;
const GB_MONTH = 0.023;
const THOUSAND_PUTS = 0.005;
const ATHENA_TB = 5;
