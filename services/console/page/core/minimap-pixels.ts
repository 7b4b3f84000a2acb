import { endOf, hasFailed, type SpanTree } from './span-tree.ts';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
  /** Pixels of the picture for one of the page. */
  readonly ratio: number;
}

/**
 * The whole trace in a small picture, a line for each row: the number of a colour for each pixel, line after line; 0 is the
 * background. Where rows share a line, later ones are in front, and failed ones in front of all.
 * @param colourOf of a row that has not failed, from 1 on.
 * @param failing colour of the others.
 */
export function minimapPixels(
  tree: SpanTree,
  rows: Int32Array,
  { width, height, ratio }: PictureSize,
  colourOf: (row: number) => number,
  failing: number,
): Uint8Array {
  const pixels = new Uint8Array(width * height);
  const scale = width / (tree.toNs - tree.fromNs);
  const rowHeight = height / Math.max(1, rows.length);
  const lines = Math.max(1, Math.round(Math.min(5 * ratio, rowHeight * 0.7)));
  const paint = (place: number, row: number, colour: number): void => {
    const span = tree.spans[row] as SpanTree['spans'][number];
    const left = Math.min(width - 1, Math.floor((span.offsetNs - tree.fromNs) * scale));
    const right = Math.min(width, Math.max(left + Math.ceil(ratio), Math.round((endOf(span) - tree.fromNs) * scale)));
    const top = Math.floor(place * rowHeight);
    for (let y = top; y < Math.min(height, top + lines); y++) pixels.fill(colour, y * width + left, y * width + right);
  };
  rows.forEach((row, place) => {
    paint(place, row, colourOf(row));
  });
  rows.forEach((row, place) => {
    if (hasFailed(tree.spans[row] as SpanTree['spans'][number])) paint(place, row, failing);
  });
  return pixels;
}
