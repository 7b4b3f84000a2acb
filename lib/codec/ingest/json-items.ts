import { Unreadable } from './converted.ts';
import { jsonPart } from './json-part.ts';
import { CLOSE_LIST, COMMA, firstCharacter, itemEnd, OPEN_LIST, skipSpaces } from './json-scan.ts';

/**
 * The items of a JSON list one after the other, or the one value when it is none: parsed JSON takes ten times the room of
 * its text and more, so only one span is held at a time.
 *
 * @param text UTF-8, with or without a byte order mark.
 * @throws Unreadable at the item where the text is no JSON, or which holds more than ITEM_VALUES_MAX values.
 */
export function* jsonItems(text: Buffer): Generator<unknown> {
  const at = firstCharacter(text);
  if (text[at] !== OPEN_LIST) {
    itemEnd(text, at);
    yield jsonPart(text, 0, text.length);
    return;
  }
  const rest = skipSpaces(text, yield* listItems(text, at));
  if (rest < text.length) throw noList(rest);
}

export function isList(text: Buffer): boolean {
  return text[firstCharacter(text)] === OPEN_LIST;
}

/**
 * The items of the list that opens at `start`, parsed one by one; returns one past its end.
 * @throws Unreadable as jsonItems does.
 */
export function* listItems(text: Buffer, start: number): Generator<unknown, number> {
  let at = skipSpaces(text, start + 1);
  if (text[at] === CLOSE_LIST) return at + 1;
  for (;;) {
    const end = itemEnd(text, at);
    yield jsonPart(text, at, end);
    if (text[end] === CLOSE_LIST) return end + 1;
    if (text[end] !== COMMA) throw noList(end);
    at = end + 1;
  }
}

/**
 * One past the end of the list that opens at `start`, its items unparsed.
 * @throws Unreadable when it does not end, or an item holds more than ITEM_VALUES_MAX values.
 */
export function listEnd(text: Buffer, start: number): number {
  let at = skipSpaces(text, start + 1);
  for (;;) {
    const end = itemEnd(text, at);
    if (text[end] === CLOSE_LIST) return end + 1;
    if (text[end] !== COMMA) throw noList(end);
    at = end + 1;
  }
}

function noList(at: number): Unreadable {
  return new Unreadable(`The text is not JSON (byte ${at})`);
}
