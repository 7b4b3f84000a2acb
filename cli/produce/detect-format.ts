/** How a file holds its OTLP messages. */
export type FileFormat = 'protobuf' | 'length-prefixed' | 'json' | 'ndjson';

export const FILE_FORMATS: readonly FileFormat[] = ['protobuf', 'length-prefixed', 'json', 'ndjson'];

/** Largest message taken from a file. Brokers take 1 MiB unless told otherwise, so this is no limit in practice. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

/** How many bytes of a file `detectFormat` should see, if the file has as many. */
export const DETECT_BYTES = 64 * 1024;

/**
 * Tells the format by the first bytes; undefined when it is none. An encoded OTLP request begins with the tag 0x0a, a
 * length prefix with a byte below 0x04 (MESSAGE_BYTES_MAX), JSON with a brace after optional white space.
 *
 * @param head the first bytes of the file, at least one; `whole` when they are all of it.
 */
export function detectFormat(head: Buffer, whole: boolean): FileFormat | undefined {
  const text = jsonText(head);
  if (text !== undefined) return jsonFormat(text, whole);
  if (head[0] === TAG_RESOURCE_SPANS) return 'protobuf';
  if (head.length >= 4 && head.readUInt32BE(0) <= MESSAGE_BYTES_MAX) return 'length-prefixed';
  return undefined;
}

/** The head as text without byte order mark and leading white space, when a JSON object begins there. */
function jsonText(head: Buffer): string | undefined {
  const text = head.toString('utf8').replace(/^\uFEFF/, '');
  const trimmed = text.trimStart();
  if (!trimmed.startsWith('{')) return undefined;
  // A line's end is also the first byte of an OTLP request, and a brace could be its length; but then no quote follows.
  if (head[0] === TAG_RESOURCE_SPANS && !/^\{\s*"/.test(trimmed)) return undefined;
  return trimmed;
}

/** One JSON object per line if the first line is a whole one, else one object spread over the file. */
function jsonFormat(text: string, whole: boolean): FileFormat {
  const lineEnd = text.indexOf('\n');
  // A first line longer than the head: only generated NDJSON has such lines.
  if (lineEnd < 0) return whole ? 'json' : 'ndjson';
  try {
    JSON.parse(text.slice(0, lineEnd));
    return 'ndjson';
  } catch {
    return 'json';
  }
}

const TAG_RESOURCE_SPANS = 0x0a;
