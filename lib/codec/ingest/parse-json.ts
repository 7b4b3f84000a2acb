import { Unreadable } from './converted.ts';
import { listEnd, listItems } from './json-items.ts';
import { jsonPart } from './json-part.ts';
import {
  BACKSLASH,
  COLON,
  COMMA,
  firstCharacter,
  ITEM_VALUES_MAX,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  skipSpaces,
  stringEnd,
} from './json-scan.ts';

/**
 * A text as JSON, in which each list under a key `spans` is a SpanList: what is in there is parsed span by span as it is
 * walked through, and the rest is small. Refused is a rest that would take very much more room than itself: many values of
 * hardly a character.
 *
 * @param text UTF-8, with or without a byte order mark.
 * @throws Unreadable when it is not JSON; inside of a SpanList that shows when it is walked through.
 */
export function parseJson(text: Buffer): unknown {
  const { rest, lists } = cutSpans(text);
  const json = jsonPart(rest, 0, rest.length);
  const left = new Set(lists);
  const waiting: unknown[] = [json];
  // No recursion: foreign JSON may be nested as deep as it likes.
  while (waiting.length > 0 && left.size > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (!Array.isArray(value) && Array.isArray((value as Record<string, unknown>)['spans'])) {
      const holder = value as { spans: unknown };
      const list = lists[(holder.spans as number[])[0] as number] as SpanList;
      holder.spans = list;
      left.delete(list);
    }
    for (const inner of Object.values(value)) if (!(inner instanceof SpanList)) waiting.push(inner);
  }
  // Of a key that stands twice the last counts; the others must be JSON all the same.
  for (const list of left) for (const _ of list);
  return json;
}

/** A list in a JSON text. Each walk through it parses its items anew, and holds one at a time. */
export class SpanList implements Iterable<unknown> {
  private readonly text: Buffer;
  private readonly start: number;

  /** @param start of its opening bracket. */
  constructor(text: Buffer, start: number) {
    this.text = text;
    this.start = start;
  }

  /** @throws Unreadable at the item that is not JSON. */
  [Symbol.iterator](): Iterator<unknown> {
    return listItems(this.text, this.start);
  }
}

/** The text with a number in the place of what is in each list under `spans`: the list's own. */
function cutSpans(text: Buffer): { rest: Buffer; lists: SpanList[] } {
  const lists: SpanList[] = [];
  const pieces: Buffer[] = [];
  let from = 0;
  let bytes = 0;
  let values = 0;
  for (let at = firstCharacter(text); at < text.length; at++) {
    const byte = text[at] as number;
    if (byte === COMMA || byte === OPEN_LIST || byte === OPEN_OBJECT) values++;
    if (byte !== QUOTE) continue;
    const start = at;
    at = stringEnd(text, at);
    const colon = skipSpaces(text, at + 1);
    if (text[colon] !== COLON) continue;
    const open = skipSpaces(text, colon + 1);
    if (text[open] !== OPEN_LIST || !isKey(text, start, at + 1)) continue;
    values += VALUES_OF_LIST;
    const number = Buffer.from(`[${lists.length}]`);
    pieces.push(text.subarray(from, open), number);
    bytes += open - from + number.length;
    lists.push(new SpanList(text, open));
    from = listEnd(text, open);
    at = from - 1;
  }
  bytes += text.length - from;
  if (values > ITEM_VALUES_MAX && values * BYTES_PER_VALUE_MIN > bytes) {
    throw new Unreadable(`The text holds ${values} values in ${bytes} bytes, too many for what they can say`);
  }
  return lists.length === 0 ? { rest: text, lists } : { rest: Buffer.concat([...pieces, text.subarray(from)]), lists };
}

/** @param start,end with its quotes. */
function isKey(text: Buffer, start: number, end: number): boolean {
  const key = text.subarray(start, end);
  return key.equals(KEY) || (key.includes(BACKSLASH) && jsonPart(text, start, end) === 'spans');
}

const KEY = Buffer.from('"spans"');
/** OTLP/JSON has about seven, names and punctuation included. */
const BYTES_PER_VALUE_MIN = 5;
/** What it takes to remember where a list is. */
const VALUES_OF_LIST = 2;
