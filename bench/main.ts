/** `npm run bench`: a span set through the whole pipeline, each service a process of its own; see bench/README.md. */
import { parseArgs } from 'node:util';
import { ARCHIVE_FORMATS } from '../lib/archive/object-keys.ts';
import { describeError } from '../lib/errors/spanloom-error.ts';
import { archiverTable, runArchiverBench } from './archiver-bench.ts';
import { collectorTable, runCollectorBench } from './collector-bench.ts';
import { runConsoleBench } from './console-bench.ts';
import { forwarderTable, runForwarderBench } from './forwarder-bench.ts';
import { runBench } from './pipeline-bench.ts';
import { table } from './report.ts';

const HELP = `Usage: npm run bench -- [options]

Feeds a span set through router, assembler, graph-builder, alerter and archiver and prints what it cost.

  --spans N        spans to generate (default 1000000)
  --seed N         seed of the generator (default 1)
  --input FILE     length-prefixed (uint32 big-endian) OTLP messages instead of generated ones
  --partitions N   partitions of every topic (default 4)
  --idle-ms N      idle time-out of traces (default 2000)
  --window-store S redis or memory (default redis)
  --stage archiver from the traces topic to stored objects only, once for each format
  --stage collector  from many senders' posts to acknowledged records, then counted
  --stage forwarder  from the traces topic to OTLP/HTTP receivers on this machine, to one and then to two at once
  --stage console  from the traces topic to the console's hot store, then questions to it
  --senders N      with --stage collector (default 1000)
  --seconds N      with --stage collector (default 60)
  --profile DIR    with --stage: writes a CPU profile of the service there
  --json           the result as the last line, as JSON
  --keep-logs DIR  writes the services' logs there

Examples:
  npm run bench
  npm run bench -- --spans 200000 --json
  npm run bench -- --input spans.otlp
  npm run bench -- --stage archiver --json
  npm run bench -- --stage collector --senders 1000 --seconds 60
`;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    spans: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    input: { type: 'string' },
    partitions: { type: 'string', default: '4' },
    'idle-ms': { type: 'string', default: '2000' },
    'window-store': { type: 'string', default: 'redis' },
    stage: { type: 'string' },
    senders: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '60' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
    'keep-logs': { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const common = {
  spans: Number(values.spans),
  seed: Number(values.seed),
  input: values.input,
  partitions: Number(values.partitions),
  logFolder: values['keep-logs'],
  progress: (line: string) => void process.stderr.write(`${line}\n`),
};

try {
  process.exitCode = await bench();
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}

async function bench(): Promise<number> {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.stage === 'archiver') {
    const figures = await runArchiverBench({ ...common, formats: ARCHIVE_FORMATS, profileFolder: values.profile });
    process.stdout.write(`${archiverTable(figures)}\n`);
    if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
    return Object.values(figures).every(({ lost }) => lost === 0) ? 0 : 1;
  }
  if (values.stage === 'collector') {
    const figures = await runCollectorBench({
      ...common,
      senders: Number(values.senders),
      seconds: Number(values.seconds),
    });
    process.stdout.write(`${collectorTable(figures)}\n`);
    if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
    return figures.lost === 0 ? 0 : 1;
  }
  if (values.stage === 'forwarder') {
    const figures = await runForwarderBench({ ...common, destinations: [1, 2], profileFolder: values.profile });
    process.stdout.write(`${forwarderTable(figures)}\n`);
    if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
    return figures.every(({ lost }) => lost === 0) ? 0 : 1;
  }
  if (values.stage === 'console') {
    const figures = await runConsoleBench(common);
    console.table(figures);
    if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
    return 0;
  }
  if (values.stage !== undefined) {
    throw new Error(`There is no stage '${values.stage}' to bench; stages: archiver, collector, forwarder, console`);
  }
  const result = await runBench({
    ...common,
    idleTimeoutMs: Number(values['idle-ms']),
    windowStore: values['window-store'],
  });
  process.stdout.write(`${table(result)}\n`);
  if (values.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  return result.lost === 0 && result.double === 0 ? 0 : 1;
}
