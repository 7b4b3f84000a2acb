import type { SqlResult } from '../../lib/archive/archive-sql.ts';
import { escapeControls } from '../../lib/observability/escape-controls.ts';
import { cut } from '../format.ts';

export const ROW_FORMATS = ['table', 'json', 'csv'] as const;

/** Rows as text: aligned columns, one JSON object per line, or CSV (RFC 4180). */
export function rowsText({ columns, rows }: SqlResult, format: (typeof ROW_FORMATS)[number]): string {
  if (format === 'json') {
    return rows
      .map((row) => `${JSON.stringify(Object.fromEntries(columns.map((name, i) => [name, plain(row[i])])))}\n`)
      .join('');
  }
  if (format === 'csv') return [columns, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
  const cells = [columns, ...rows].map((row) => row.map((value) => cut(escapeControls(text(value)), CELL_COLUMNS_MAX)));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => (row[i] as string).length)));
  const isNumber = columns.map((_, i) => rows.some((row) => ['number', 'bigint'].includes(typeof row[i])));
  return cells
    .map((row) => {
      const line = row.map((cell, i) => (isNumber[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)));
      return `${line.join('  ').trimEnd()}\n`;
    })
    .join('');
}

/** As JSON has it: times in ISO 8601, whole numbers beyond 2^53 as strings. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  return value;
}

function text(value: unknown): string {
  const shown = plain(value) ?? '';
  if (typeof shown === 'number' && !Number.isInteger(shown)) return String(Number(shown.toPrecision(6)));
  return typeof shown === 'object' ? JSON.stringify(shown) : String(shown);
}

function csvCell(value: unknown): string {
  const shown = plain(value) ?? '';
  const cell = typeof shown === 'object' ? JSON.stringify(shown) : String(shown);
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

const CELL_COLUMNS_MAX = 60;
