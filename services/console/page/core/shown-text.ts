import { count } from './format.ts';

/**
 * Text of strangers (span names, attributes, service names) as it may be shown: nothing invisible, nothing that turns the
 * direction of what stands beside it, no more of it than a page can bear. Markup needs no care here: the page only ever
 * sets text.
 *
 * @param charactersMax the rest is told as a number.
 */
export function shownText(value: string, charactersMax = 200): string {
  const cut = value.length > charactersMax;
  const shown = visible(cut ? value.slice(0, charactersMax) : value);
  return cut ? `${shown}… (${count(value.length)} characters)` : shown;
}

/** Control characters as their pictures (␀, ␛, ␡), marks of direction and without width by their code points. */
export function visible(value: string): string {
  return UNSEEN.test(value) ? value.toWellFormed().replaceAll(EVERY_UNSEEN, picture) : value.toWellFormed();
}

// Line breaks and tabs are white space to HTML already.
const UNSEEN_CLASS =
  '[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]';
const UNSEEN = new RegExp(UNSEEN_CLASS);
const EVERY_UNSEEN = new RegExp(UNSEEN_CLASS, 'g');

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
