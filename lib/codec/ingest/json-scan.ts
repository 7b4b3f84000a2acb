import { Unreadable } from './converted.ts';

/** Where the value that begins at `start` ends: at a comma or bracket that is not its own, or at the text's end. */
export function itemEnd(text: Buffer, start: number): number {
  let depth = 0;
  let values = 0;
  for (let at = start; at < text.length; at++) {
    switch (text[at]) {
      case QUOTE:
        at = stringEnd(text, at);
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        depth++;
        values++;
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        if (depth-- === 0) return at;
        break;
      case COMMA:
        if (depth === 0) return at;
        values++;
        break;
    }
    if (values > ITEM_VALUES_MAX) {
      throw new Unreadable(`The span at byte ${start} holds more than ${ITEM_VALUES_MAX} values`);
    }
  }
  return text.length;
}

/** The closing quote of the string that begins at `start`. */
export function stringEnd(text: Buffer, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Behind a byte order mark and white space. */
export function firstCharacter(text: Buffer): number {
  return skipSpaces(text, text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0);
}

export function skipSpaces(text: Buffer, start: number): number {
  let at = start;
  while (SPACES.has(text[at] as number)) at++;
  return at;
}

/** Of a span; a router cuts spans above 256 KiB anyway. */
export const ITEM_VALUES_MAX = 2 ** 16;
export const QUOTE = 0x22;
export const BACKSLASH = 0x5c;
export const COLON = 0x3a;
export const COMMA = 0x2c;
export const OPEN_LIST = 0x5b;
export const CLOSE_LIST = 0x5d;
export const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
