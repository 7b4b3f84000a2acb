/** What becomes of a record in another format: the same spans as an OTLP request, or why there are none. */
export type Converted =
  | { readonly ok: true; readonly bytes: Buffer }
  /** `detail` is one sentence that names the place, never the text found there. */
  | { readonly ok: false; readonly detail: string };

/** Thrown inside a decoder, and only there, for input that is not of its format; the message ends without a full stop. */
export class Unreadable extends Error {}

/** Runs a decoder: what it finds unreadable is an outcome, anything else it throws is a mistake of ours. */
export function converting(decode: () => Buffer): Converted {
  try {
    return { ok: true, bytes: decode() };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ok: false, detail: `${error.message}.` };
  }
}
