import { accessSync, constants, readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { ConfigError } from '../../../lib/config/config-error.ts';
import { describeError } from '../../../lib/errors/spanloom-error.ts';
import type { Destination } from '../core/destination.ts';
import type { Mistake } from '../core/fields.ts';
import { readDestinations } from '../core/read-destinations.ts';
import { substitute } from '../core/substitute.ts';

/**
 * Reads the YAML file that declares destinations.
 * @throws ConfigError with every mistake: file, line, path and what is wrong there. Values, which may be secrets, are in
 *   no sentence.
 */
export function readDestinationsFile(
  file: string,
  options: { ownTopics: string; env: Readonly<Record<string, string | undefined>> },
): readonly Destination[] {
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines });
  if (document.errors.length > 0) {
    // The rest of the parser's message quotes the lines at fault.
    throw new ConfigError(document.errors.map(({ message }) => `${file}: is no YAML: ${message.split('\n')[0]}`));
  }
  const { value, mistakes: missing } = substitute(document.toJS({ maxAliasCount: ALIASES_MAX }), (source, name) =>
    source === 'env' ? options.env[name] : readSecret(name),
  );
  const { destinations, mistakes } = readDestinations(value, options.ownTopics);
  // What a missing variable leaves empty is not a second mistake.
  const all = missing.length > 0 ? missing : [...mistakes, ...unreadableFiles(destinations)];
  if (all.length === 0) return destinations;
  throw new ConfigError(
    all.map(({ path, what }) => {
      const line = lineOf(document, path, lines);
      return `${file}${line === undefined ? '' : `:${line}`}: ${pathText(path)}${what}.`;
    }),
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([`FORWARD_DESTINATIONS_PATH names ${file}, which cannot be read: ${describeError(error)}.`]);
  }
}

function readSecret(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}

/** Line of the nearest thing on the way that is in the file. */
function lineOf(
  document: ReturnType<typeof parseDocument>,
  path: Mistake['path'],
  lines: LineCounter,
): number | undefined {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true) as { range?: [number, number, number] } | undefined;
    if (node?.range !== undefined) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

function pathText(path: Mistake['path']): string {
  if (path.length === 0) return '';
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  return `${text.slice(1)} `;
}

function unreadableFiles(destinations: readonly Destination[]): Mistake[] {
  return destinations.flatMap(({ tls }, i) =>
    (['caPath', 'certPath', 'keyPath'] as const).flatMap((field) => {
      const name = tls?.[field];
      if (name === undefined || isReadable(name)) return [];
      return [{ path: ['destinations', i, 'tls', field], what: `names ${name}, which cannot be read` }];
    }),
  );
}

function isReadable(name: string): boolean {
  try {
    accessSync(name, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** A few shared blocks are convenient; thousands are an attack. */
const ALIASES_MAX = 100;
