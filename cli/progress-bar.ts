import type { Io } from './io.ts';

/** A line on stderr that is drawn over and over; nothing at all unless a person is watching. */
export class ProgressBar {
  private readonly io: Io;
  private drawnAtMs = Number.NEGATIVE_INFINITY;
  private shown = false;

  constructor(io: Io) {
    this.io = io;
  }

  /** @param ratio done, in [0, 1]; undefined when the total is not known (standard input). */
  update(ratio: number | undefined, note: string): void {
    if (!this.io.stderrIsTerminal) return;
    const nowMs = performance.now();
    if (nowMs - this.drawnAtMs < REDRAW_MS) return;
    this.drawnAtMs = nowMs;
    this.shown = true;
    const bar = ratio === undefined ? '' : `${barOf(Math.min(1, ratio))} `;
    this.io.stderr.write(`\r${bar}${note}${ERASE_TO_LINE_END}`);
  }

  /** Takes the line away, so that what is said next begins on an empty one. */
  clear(): void {
    if (this.shown) this.io.stderr.write(`\r${ERASE_TO_LINE_END}`);
    this.shown = false;
  }
}

function barOf(ratio: number): string {
  const filled = Math.round(ratio * BAR_COLUMNS);
  const percent = `${Math.floor(ratio * 100)} %`.padStart(5);
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_COLUMNS - filled)} ${percent}`;
}

const REDRAW_MS = 100;
const BAR_COLUMNS = 28;
const ERASE_TO_LINE_END = '\u001b[K';
