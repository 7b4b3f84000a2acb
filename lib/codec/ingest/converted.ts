/** What becomes of a record in another format: the same spans as an OTLP request, or why there are none. */
export type Converted =
  | { readonly ok: true; readonly bytes: Buffer }
  /** `detail` is one sentence that names the place, never the text found there. */
  | { readonly ok: false; readonly detail: string };

/** Thrown inside a decoder, and only there, for input that is not of its format; the message ends without a full stop. */
export class Unreadable extends Error {}

/**
 * Counts an attribute, event or link of the span that is being read: an empty one takes two bytes of the record and two
 * hundred in memory, so a record of nothing else would take more of it than there is. Decoders run to their end, so that one
 * count does for all.
 * @throws Unreadable.
 */
export function countPart(): void {
  if (++parts > SPAN_PARTS_MAX) {
    throw new Unreadable(`A span has more than ${SPAN_PARTS_MAX} attributes, events and links`);
  }
}

/** The next part is of another span. */
export function spanRead(): void {
  parts = 0;
}

let parts = 0;
/** A router cuts spans above 256 KiB anyway. */
const SPAN_PARTS_MAX = 2 ** 16;

/** Runs a decoder: what it finds unreadable is an outcome, anything else it throws is a mistake of ours. */
export function converting(decode: () => Buffer): Converted {
  spanRead();
  try {
    return { ok: true, bytes: decode() };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ok: false, detail: `${error.message}.` };
  }
}
