import { describeError, SpanloomError } from '../errors/spanloom-error.ts';
import { escapeControls } from './escape-controls.ts';
import { prettyLine } from './pretty-line.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFormat = 'auto' | 'json' | 'pretty';
export type LogFields = Readonly<Record<string, unknown>>;

/** Fields are for what a person filters by: short values under the names of the glossary. Never put secrets or span content there. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export interface LoggerOptions {
  readonly service: string;
  /** Lowest level written; default info. */
  readonly level?: LogLevel;
  /** `auto` (the default) is pretty on a terminal and one JSON object per line otherwise. */
  readonly format?: LogFormat;
  /** Where lines go; default stderr, because stdout belongs to what a command answers. */
  readonly output?: LogOutput;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

export interface LogOutput {
  write(line: string): unknown;
  readonly isTTY?: boolean;
}

/** One record of the log before it is written as JSON or for people. */
export interface LogRecordFields {
  readonly time: string;
  readonly level: LogLevel;
  readonly service: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * A log with one line per record, whatever is in it: control characters, terminal escapes and line separators come out
 * as visible escapes, long texts are cut, and a value that cannot be written never throws.
 */
export function createLogger(options: LoggerOptions): Logger {
  const output = options.output ?? process.stderr;
  const environment = options.environment ?? process.env;
  const lowest = LEVELS.indexOf(options.level ?? 'info');
  const format = options.format ?? 'auto';
  const pretty = format === 'pretty' || (format === 'auto' && output.isTTY === true);
  const colours = output.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
  const now = options.now ?? Date.now;

  const write = (level: LogLevel, message: string, given: LogFields = {}): void => {
    if (LEVELS.indexOf(level) < lowest) return;
    const record: LogRecordFields = {
      time: new Date(now()).toISOString(),
      level,
      service: options.service,
      message: textOf(message),
      fields: plainFields(given),
    };
    output.write(`${pretty ? prettyLine(record, colours) : jsonLine(record)}\n`);
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}

function jsonLine({ fields, ...head }: LogRecordFields): string {
  const record: Record<string, unknown> = { ...head };
  // A field never replaces what heads the record.
  for (const [name, value] of Object.entries(fields)) record[name in head ? `${name}_` : name] = value;
  return escapeControls(JSON.stringify(record));
}

/** Fields as values that JSON can hold, of bounded size. An `error` that is one becomes its sentence, code and stack. */
function plainFields(given: LogFields): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (value instanceof Error) Object.assign(plain, errorFields(name, value));
    else if (value !== undefined) plain[textOf(name)] = plainValue(value, 0);
  }
  return plain;
}

function errorFields(name: string, error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = { [name]: textOf(describeError(error)) };
  const code = (error as { code?: unknown }).code;
  if (typeof code === 'string') fields['code'] = textOf(code);
  // Ours say in a sentence what is wrong; anything else is a surprise, and its place matters.
  if (!(error instanceof SpanloomError) && error.stack !== undefined) fields['stack'] = textOf(error.stack);
  return fields;
}

function plainValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return textOf(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return textOf(describeError(value));
  if (value instanceof Uint8Array) return textOf(Buffer.from(value.subarray(0, BYTES_SHOWN_MAX)).toString('hex'));
  if (typeof value !== 'object') return String(value);
  if (depth >= DEPTH_MAX) return '…';
  if (value instanceof Map) return plainValue(Object.fromEntries(value), depth);
  if (value instanceof Set) return plainValue([...value], depth);
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MAX).map((item) => plainValue(item, depth + 1));
    return value.length > ITEMS_MAX ? [...items, `… ${value.length - ITEMS_MAX} more`] : items;
  }
  const entries = Object.entries(value).slice(0, ITEMS_MAX);
  return Object.fromEntries(entries.map(([name, item]) => [textOf(name), plainValue(item, depth + 1)]));
}

function textOf(text: string): string {
  return text.length <= TEXT_CHARS_MAX
    ? text
    : `${text.slice(0, TEXT_CHARS_MAX)}… (${text.length - TEXT_CHARS_MAX} more)`;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const TEXT_CHARS_MAX = 4_096;
const BYTES_SHOWN_MAX = 64;
const ITEMS_MAX = 100;
const DEPTH_MAX = 4;
