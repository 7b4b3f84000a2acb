import { Unreadable } from './converted.ts';

/**
 * A part of a text as JSON, with whole numbers beyond 2^53 as their digits instead of losing the last ones.
 * @param text UTF-8; a byte order mark may begin the part.
 * @throws Unreadable naming the place; the parser's own message quotes the text, which may hold what redaction removes.
 */
export function jsonPart(text: Buffer, start: number, end: number): unknown {
  try {
    return parseExact(UTF8.decode(text.subarray(start, end)));
  } catch (error) {
    const place = /position (\d+)/.exec(error instanceof Error ? error.message : '');
    throw new Unreadable(`The text is not JSON${place === null ? '' : ` (character ${start + Number(place[1])})`}`);
  }
}

function parseExact(text: string): unknown {
  if (!/(?:^|[:[,])\s*-?\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const source = context?.source;
    return source !== undefined && /^-?\d+$/.test(source) ? source : value;
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
