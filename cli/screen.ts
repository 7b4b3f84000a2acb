import type { Io } from './io.ts';

/** Draws frames over one another on a terminal. `close` leaves the last one standing and the cursor below it. */
export class Screen {
  private readonly io: Io;
  private linesDrawn = 0;

  constructor(io: Io) {
    this.io = io;
    io.stdout.write(BEGIN);
  }

  draw(lines: readonly string[]): void {
    const shown = lines.slice(0, Math.max(1, this.io.rows() - 1));
    const up = this.linesDrawn === 0 ? '' : `\u001b[${this.linesDrawn}A`;
    const text = shown.map((line) => `${line}${ERASE_TO_LINE_END}\n`).join('');
    this.io.stdout.write(`${up}\r${text}${ERASE_BELOW}`);
    this.linesDrawn = shown.length;
  }

  close(): void {
    this.io.stdout.write(END);
  }
}

/** Hides the cursor, and cuts long lines instead of wrapping them: a wrapped line would spoil the count of lines. */
const BEGIN = '\u001b[?25l\u001b[?7l';
const END = '\u001b[?25h\u001b[?7h';
const ERASE_TO_LINE_END = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
