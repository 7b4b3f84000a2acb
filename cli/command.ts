import { parseArgs } from 'node:util';
import type { Io } from './io.ts';

/** One option as it is parsed and as `--help` shows it. */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What the value is, for help: `HOST:PORT`. */
  readonly value?: string;
  readonly description: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Flags are false when absent, options undefined, repeatable options an empty list. */
export type OptionValues<O extends OptionSpecs> = {
  readonly [K in keyof O]: O[K] extends { type: 'boolean' }
    ? boolean
    : O[K] extends { multiple: true }
      ? readonly string[]
      : string | undefined;
};

export interface CommandSpec<O extends OptionSpecs> {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as help shows them: `FILE…`; empty when there are none. */
  readonly positionals: string;
  readonly positionalsMin: number;
  readonly positionalsMax: number;
  readonly options: O;
  readonly examples: readonly string[];
  /** More about the command, wrapped by hand. */
  readonly details?: string;
  /** @returns the exit code. */
  run(values: OptionValues<O>, positionals: readonly string[], io: Io): Promise<number>;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  help(): string;
  /** @throws UsageError when the arguments are wrong. */
  run(args: readonly string[], io: Io): Promise<number>;
}

/** Wrong arguments: exit code 2, with the sentence and where to look. */
export class UsageError extends Error {
  readonly command: string | undefined;

  constructor(sentence: string, command?: string) {
    super(sentence);
    this.name = 'UsageError';
    this.command = command;
  }
}

export function defineCommand<const O extends OptionSpecs>(spec: CommandSpec<O>): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    help: () => helpText(spec),
    run: async (args, io) => {
      if (args.includes('--help') || args.includes('-h')) {
        io.out(helpText(spec));
        return 0;
      }
      const { values, positionals } = parse(spec, args);
      return spec.run(values, positionals, io);
    },
  };
}

/** The option's value as a whole number within limits. */
export function wholeNumber(value: string, name: string, min: number, max: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < min || number > max) {
    throw new UsageError(`${name} must be a whole number from ${min} to ${max}, not '${value}'.`);
  }
  return number;
}

/** The option's value as one of a few words. */
export function oneOf<const T extends string>(value: string, name: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new UsageError(`${name} must be ${choices.join(' or ')}, not '${value}'.`);
  return found;
}

function parse<O extends OptionSpecs>(
  spec: CommandSpec<O>,
  args: readonly string[],
): { values: OptionValues<O>; positionals: string[] } {
  const options = Object.fromEntries(
    Object.entries(spec.options).map(([name, { type, short, multiple }]) => [
      name,
      { type, ...(short === undefined ? {} : { short }), ...(multiple === undefined ? {} : { multiple }) },
    ]),
  );
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError(firstSentence(error), spec.name);
  }
  const { positionals } = parsed;
  if (positionals.length < spec.positionalsMin) {
    throw new UsageError(`'${spec.name}' needs ${spec.positionals}.`, spec.name);
  }
  if (positionals.length > spec.positionalsMax) {
    throw new UsageError(`Unexpected argument '${positionals[spec.positionalsMax]}'.`, spec.name);
  }
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(spec.options)) {
    const absent = option.type === 'boolean' ? false : option.multiple === true ? [] : undefined;
    values[name] = parsed.values[name] ?? absent;
  }
  return { values: values as OptionValues<O>, positionals };
}

/** parseArgs explains at length how to pass an argument that begins with a dash; the first sentence is enough. */
function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const end = message.indexOf('. ');
  return end < 0 ? message : message.slice(0, end + 1);
}

function helpText<O extends OptionSpecs>(spec: CommandSpec<O>): string {
  const usage = ['spanloom', spec.name, spec.positionals, '[options]'].filter((word) => word !== '').join(' ');
  const rows = Object.entries<OptionSpec>({ ...spec.options, help: HELP_OPTION }).map(([name, option]) => {
    const short = option.short === undefined ? '    ' : `-${option.short}, `;
    return [`  ${short}--${name}${option.value === undefined ? '' : ` ${option.value}`}`, option.description] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  const indent = ' '.repeat(width);
  return [
    `${spec.summary}`,
    '',
    `Usage: ${usage}`,
    ...(spec.details === undefined ? [] : ['', spec.details]),
    '',
    'Options:',
    ...rows.map(([left, description]) => left.padEnd(width) + description.replaceAll('\n', `\n${indent}`)),
    '',
    'Examples:',
    ...spec.examples.map((example) => `  ${example}`),
    '',
  ].join('\n');
}

const HELP_OPTION: OptionSpec = { type: 'boolean', short: 'h', description: 'Shows this.' };
