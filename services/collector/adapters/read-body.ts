import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, zstdDecompress } from 'node:zlib';
import { later, type Outcome, refused } from '../core/answers.ts';
import type { Intake } from '../ports.ts';

export interface BodyLimits {
  /** As sent, and decompressed. */
  readonly bodyBytesMax: number;
  /** Decompressed bytes per byte sent, beyond the first RATIO_FREE_BYTES. */
  readonly ratioMax: number;
}

export type Body =
  | { readonly ok: true; readonly bytes: Buffer; release(): void }
  | { readonly ok: false; readonly outcome: Outcome };

/**
 * Reads a request's body and decompresses it, within the limits and within what the process may hold. What was read is
 * counted against the budget until `release`.
 */
export async function readBody(request: IncomingMessage, intake: Intake, limits: BodyLimits): Promise<Body> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decompress = DECOMPRESSORS.get(encoding);
  if (decompress === undefined) {
    return no(refused(415, `Content-Encoding ${JSON.stringify(encoding)} is not gzip, zstd, deflate or identity.`));
  }
  const held = new Held(intake);
  const sent = await readSent(request, held, limits.bodyBytesMax);
  const body = sent.ok && decompress !== null ? await decompressed(sent.bytes, encoding, decompress, limits) : sent;
  const isHeld = !body.ok || body === sent || held.tryHold(body.bytes.length);
  if (body.ok && isHeld) return { ok: true, bytes: body.bytes, release: () => held.release() };
  held.release();
  return body.ok ? no(BUSY) : body;
}

type Read = { readonly ok: true; readonly bytes: Buffer } | { readonly ok: false; readonly outcome: Outcome };

/** The body as it was sent. */
async function readSent(request: IncomingMessage, held: Held, bytesMax: number): Promise<Read> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return no(tooLarge(bytesMax));
  const chunks: Buffer[] = [];
  let length = 0;
  let outcome: Outcome | undefined;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bytesMax) outcome = tooLarge(bytesMax);
      else if (!held.tryHold(chunk.length)) outcome = BUSY;
      if (outcome !== undefined) break;
      chunks.push(chunk);
    }
  } catch {
    outcome = refused(400, 'The request ended before its body did.');
  }
  if (outcome !== undefined) return no(outcome);
  return { ok: true, bytes: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length) };
}

async function decompressed(
  sent: Buffer,
  encoding: string,
  decompress: Decompress,
  { bodyBytesMax, ratioMax }: BodyLimits,
): Promise<Read> {
  const maxOutputLength = Math.min(bodyBytesMax, sent.length * ratioMax + RATIO_FREE_BYTES);
  try {
    return { ok: true, bytes: await decompress(sent, { maxOutputLength }) };
  } catch (error) {
    const isBomb = (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
    return no(
      isBomb
        ? refused(413, `The body decompresses to more than ${maxOutputLength} bytes.`)
        : refused(400, `The body is not ${encoding}, or is cut short.`),
    );
  }
}

/** The bytes that one request holds of the budget. */
class Held {
  private readonly intake: Intake;
  private bytes = 0;

  constructor(intake: Intake) {
    this.intake = intake;
  }

  tryHold(bytes: number): boolean {
    if (!this.intake.tryHold(bytes)) return false;
    this.bytes += bytes;
    return true;
  }

  release(): void {
    this.intake.release(this.bytes);
    this.bytes = 0;
  }
}

type Decompress = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const DECOMPRESSORS: ReadonlyMap<string, Decompress | null> = new Map<string, Decompress | null>([
  ['identity', null],
  ['', null],
  ['gzip', promisify(gunzip) as Decompress],
  ['deflate', promisify(inflate) as Decompress],
  ['zstd', promisify(zstdDecompress) as Decompress],
]);

/** Small bodies may be as repetitive as they like. */
const RATIO_FREE_BYTES = 256 * 1024;

const BUSY = later(429, 'The collector holds as many bytes as it may; try again.');

function tooLarge(max: number): Outcome {
  return refused(413, `The body is larger than ${max} bytes.`);
}

function no(outcome: Outcome): { readonly ok: false; readonly outcome: Outcome } {
  return { ok: false, outcome };
}
