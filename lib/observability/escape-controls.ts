/**
 * Text in which nothing can move a terminal's cursor, start a line or turn the reading direction: C0 and C1 controls, DEL, line and
 * paragraph separators, bidirectional controls and lone surrogates become visible `\uXXXX`. It stays valid JSON when it was.
 */
export function escapeControls(text: string): string {
  return UNSAFE.test(text) ? text.replace(ALL_UNSAFE, visible) : text;
}

function visible(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const CLASS =
  '[\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff\\p{Surrogate}]';
const UNSAFE = new RegExp(CLASS, 'u');
const ALL_UNSAFE = new RegExp(CLASS, 'gu');
