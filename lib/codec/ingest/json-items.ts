import { Unreadable } from './converted.ts';
import { jsonPart } from './json-part.ts';

/**
 * The items of a JSON list one after the other, or the one value when it is none: parsed JSON takes ten times the room of
 * its text and more, so only one span is held at a time.
 *
 * @param text UTF-8, with or without a byte order mark.
 * @throws Unreadable at the item where the text is no JSON, or which holds more than ITEM_VALUES_MAX values.
 */
export function* jsonItems(text: Buffer): Generator<unknown> {
  let at = firstCharacter(text);
  if (text[at] !== OPEN_LIST) {
    itemEnd(text, at);
    yield jsonPart(text, 0, text.length);
    return;
  }
  at = skipSpaces(text, at + 1);
  let end = at;
  if (text[at] !== CLOSE_LIST) {
    for (;;) {
      end = itemEnd(text, at);
      yield jsonPart(text, at, end);
      if (text[end] !== COMMA) break;
      at = end + 1;
    }
  }
  const rest = text[end] === CLOSE_LIST ? skipSpaces(text, end + 1) : end;
  if (text[end] !== CLOSE_LIST || rest < text.length) throw new Unreadable(`The text is not JSON (byte ${rest})`);
}

export function isList(text: Buffer): boolean {
  return text[firstCharacter(text)] === OPEN_LIST;
}

/**
 * A whole text at once. Refused is one whose parsed form would take very much more room than itself: many values of hardly
 * a character.
 * @throws Unreadable.
 */
export function parseJson(text: Buffer): unknown {
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at] as number;
    if (byte === QUOTE) at = stringEnd(text, at);
    else if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) values++;
  }
  if (values > ITEM_VALUES_MAX && values * BYTES_PER_VALUE_MIN > text.length) {
    throw new Unreadable(`The text holds ${values} values in ${text.length} bytes, too many for what they can say`);
  }
  return jsonPart(text, 0, text.length);
}

/** Where the value that begins at `start` ends: at a comma or bracket that is not its own, or at the text's end. */
function itemEnd(text: Buffer, start: number): number {
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
function stringEnd(text: Buffer, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== QUOTE) at += text[at] === BACKSLASH ? 2 : 1;
  return at;
}

/** Behind a byte order mark and white space. */
function firstCharacter(text: Buffer): number {
  return skipSpaces(text, text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0);
}

function skipSpaces(text: Buffer, start: number): number {
  let at = start;
  while (SPACES.has(text[at] as number)) at++;
  return at;
}

/** Of a span; a router cuts spans above 256 KiB anyway. */
const ITEM_VALUES_MAX = 2 ** 16;
/** OTLP/JSON has about seven, names and punctuation included. */
const BYTES_PER_VALUE_MIN = 5;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const SPACES: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);
