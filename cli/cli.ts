import { readFileSync } from 'node:fs';
import { ConfigError } from '../lib/config/config-error.ts';
import { describeError, SpanloomError } from '../lib/errors/spanloom-error.ts';
import { type Command, UsageError } from './command.ts';
import { EXIT } from './exit-codes.ts';
import type { Io } from './io.ts';

/** Runs one `spanloom` command line and answers with its exit code; never throws. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  try {
    const [first, ...rest] = args;
    if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
      if (first === 'help' && rest[0] !== undefined) return await (await load(rest[0])).run(['--help'], io);
      (first === undefined ? io.say : io.out)(overview());
      return first === undefined ? EXIT.usage : EXIT.ok;
    }
    if (first === '--version' || first === '-v') {
      io.out(version());
      return EXIT.ok;
    }
    return await (await load(first)).run(rest, io);
  } catch (error) {
    return report(error, io);
  }
}

/** Loaded when asked for: `spanloom --help` need not wait for the Kafka and S3 clients. */
const COMMANDS: readonly { name: string; summary: string; load: () => Promise<{ command: Command }> }[] = [
  {
    name: 'demo',
    summary: 'Starts everything and shows a database failing over',
    load: () => import('./commands/demo.ts'),
  },
  { name: 'up', summary: 'Starts Kafka, Redis, S3 and all services', load: () => import('./commands/up.ts') },
  { name: 'service', summary: 'Runs one service in this process', load: () => import('./commands/service.ts') },
  { name: 'topics', summary: 'Creates or checks the topics', load: () => import('./commands/topics.ts') },
  { name: 'produce', summary: 'Sends OTLP files to Kafka', load: () => import('./commands/produce.ts') },
  {
    name: 'tail',
    summary: 'Prints traces, edges, incidents or dead letters',
    load: () => import('./commands/tail.ts'),
  },
  { name: 'traces', summary: 'Finds traces in the archive', load: () => import('./commands/traces.ts') },
  { name: 'sql', summary: 'Asks the archive in SQL', load: () => import('./commands/sql.ts') },
  {
    name: 'archive',
    summary: 'Checks the archive against its chain',
    load: () => import('./commands/archive.ts'),
  },
  {
    name: 'incidents',
    summary: 'Lists incidents, or tells one in words',
    load: () => import('./commands/incidents.ts'),
  },
  {
    name: 'audit',
    summary: 'Proves that nothing is lost and nothing double',
    load: () => import('./commands/audit.ts'),
  },
  { name: 'doctor', summary: 'Checks Kafka, topics, Redis and S3', load: () => import('./commands/doctor.ts') },
];

async function load(name: string): Promise<Command> {
  const found = COMMANDS.find((command) => command.name === name);
  if (found === undefined) throw new UsageError(`There is no command '${name}'.`);
  return (await found.load()).command;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
  return [
    'Spanloom turns spans on Kafka into whole traces, service edges, incidents and an archive.',
    '',
    'Usage: spanloom COMMAND [options]',
    '',
    'Commands:',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`),
    '',
    "Try 'spanloom demo' first, or 'spanloom COMMAND --help' for options and examples.",
    '',
    'Exit codes: 0 done, 1 a check or the work failed, 2 wrong arguments or archived objects skipped,',
    '70 a defect, 78 wrong settings.',
    '',
  ].join('\n');
}

function version(): string {
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const read = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as { name: string; version: string };
      if (read.name === 'spanloom') return read.version;
    } catch {
      // Sources lie one folder below package.json, the compiled form two.
    }
  }
  throw new Error('package.json of spanloom is missing');
}

function report(error: unknown, io: Io): number {
  if (error instanceof UsageError) {
    io.say(`spanloom: ${error.message}`);
    io.say(`Try 'spanloom ${error.command === undefined ? '' : `${error.command} `}--help'.`);
    return EXIT.usage;
  }
  if (error instanceof ConfigError) {
    io.say('spanloom: the settings are wrong:');
    for (const mistake of error.mistakes) io.say(`  ${mistake}`);
    return EXIT.settings;
  }
  if (error instanceof SpanloomError) {
    io.say(`spanloom: ${describeError(error)} (${error.code})`);
    return EXIT.failed;
  }
  io.say(`spanloom: this is a defect, please report it.\n${error instanceof Error ? error.stack : String(error)}`);
  return EXIT.internal;
}
