/** Stands at the head of pages that are made from the code. */
export const GENERATED = '_Made from the code by `npm run docs`; edit the declarations there._';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

/** A cell ends at a bar and at a line's end. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('__', '\\_\\_').replaceAll('\n', ' ');
}
