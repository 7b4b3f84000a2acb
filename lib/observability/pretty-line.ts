import { escapeControls } from './escape-controls.ts';
import type { LogLevel, LogRecordFields } from './logger.ts';

/** A record for people: time of day, level, service, message, then `name=value`. A stack follows on lines of its own. */
export function prettyLine(record: LogRecordFields, colours: boolean): string {
  const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const { stack, ...fields } = record.fields;
  const parts = [
    paint(DIM, record.time.slice(11, 23)),
    paint(LEVEL_COLOURS[record.level], record.level.toUpperCase().padEnd(5)),
    paint(DIM, escapeControls(record.service)),
    escapeControls(record.message),
  ];
  for (const [name, value] of Object.entries(fields)) {
    parts.push(`${paint(DIM, `${escapeControls(name)}=`)}${shown(value)}`);
  }
  const line = parts.join(' ');
  if (typeof stack !== 'string') return line;
  const frames = stack.split('\n').slice(1);
  return [line, ...frames.map((frame) => paint(DIM, `    ${escapeControls(frame.trim())}`))].join('\n');
}

function shown(value: unknown): string {
  if (typeof value === 'string' && value !== '' && !/[\s"=]/.test(value)) return escapeControls(value);
  return escapeControls(JSON.stringify(value));
}

const DIM = 2;
const LEVEL_COLOURS: Readonly<Record<LogLevel, number>> = { debug: 2, info: 36, warn: 33, error: 31 };
