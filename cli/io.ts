import type { Writable } from 'node:stream';

/** Where a command's words go: data to stdout, everything else to stderr. */
export interface Io {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person is watching each of them. */
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** Columns of stdout's terminal; 80 when there is none. */
  readonly columns: () => number;
  readonly rows: () => number;
  /** False with NO_COLOR set to anything, or when stdout is no terminal. */
  readonly colour: boolean;
  /** One piece of output; adds the line's end when it lacks one. */
  out(text: string): void;
  /** One line for the person who runs the command. */
  say(text: string): void;
}

export function processIo(): Io {
  const { stdout, stderr, env } = process;
  const stdoutIsTerminal = stdout.isTTY === true;
  return {
    stdout,
    stderr,
    env,
    stdoutIsTerminal,
    stderrIsTerminal: stderr.isTTY === true,
    columns: () => stdout.columns ?? COLUMNS_WITHOUT_TERMINAL,
    rows: () => stdout.rows ?? ROWS_WITHOUT_TERMINAL,
    colour: stdoutIsTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    out: (text) => stdout.write(text.endsWith('\n') ? text : `${text}\n`),
    say: (text) => stderr.write(text.endsWith('\n') ? text : `${text}\n`),
  };
}

const COLUMNS_WITHOUT_TERMINAL = 80;
const ROWS_WITHOUT_TERMINAL = 24;
