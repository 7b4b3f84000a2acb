/**
 * A name as it is safe to print and to use as a label: bytes that are not UTF-8 and control characters become U+FFFD,
 * and what is longer than NAME_CHARACTERS_MAX ends in an ellipsis. Two names may become the same one.
 */
export function cleanName(bytes: Uint8Array, start: number, end: number): string {
  const cut = Math.min(end, start + NAME_CHARACTERS_MAX * UTF8_BYTES_MAX);
  return cleanText(DECODER.decode(bytes.subarray(start, cut)), NAME_CHARACTERS_MAX);
}

export function cleanText(text: string, charactersMax: number): string {
  const visible = text.replace(CONTROLS, '\u{fffd}');
  if (visible.length <= charactersMax) return visible;
  const last = visible.charCodeAt(charactersMax - 2);
  const cutsPair = last >= 0xd800 && last <= 0xdbff;
  return `${visible.slice(0, cutsPair ? charactersMax - 2 : charactersMax - 1)}…`;
}

export const NAME_CHARACTERS_MAX = 200;
const UTF8_BYTES_MAX = 4;
const DECODER = new TextDecoder('utf-8');
/** C0, DEL, C1, the line separators and the marks that turn the direction of text around. */
const CONTROLS = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
