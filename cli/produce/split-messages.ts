import { SpanloomError } from '../../lib/errors/spanloom-error.ts';
import { DETECT_BYTES, detectFormat, type FileFormat, MESSAGE_BYTES_MAX } from './detect-format.ts';

/**
 * The OTLP messages of a file or stream, one by one and as they stand: nothing is decoded, so what is wrong with a
 * message is found where it belongs, in the span-router. Holds one message at a time, whatever the file's size.
 *
 * @param name of the file, for messages to a person.
 * @throws SpanloomError PRODUCE_INPUT when the format cannot be told or the file ends within a message.
 */
export async function* splitMessages(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  format?: FileFormat,
): AsyncGenerator<Buffer> {
  const input = new ByteInput(chunks);
  const head = await input.peek(DETECT_BYTES);
  if (head.length === 0) return;
  const found = format ?? detectFormat(head, input.ended);
  if (found === undefined) {
    throw inputError(`${name} is neither OTLP protobuf nor OTLP JSON; name its format with --format if it is`);
  }
  if (found === 'length-prefixed') yield* lengthPrefixed(input, name);
  else if (found === 'ndjson') yield* lines(input, name);
  else yield await wholeFile(input, name);
}

async function* lengthPrefixed(input: ByteInput, name: string): AsyncGenerator<Buffer> {
  for (;;) {
    const at = input.position;
    const prefix = await input.take(PREFIX_BYTES);
    if (prefix.length === 0) return;
    if (prefix.length < PREFIX_BYTES) throw inputError(`${name} ends within the length at byte ${at}`);
    const length = prefix.readUInt32BE(0);
    if (length > MESSAGE_BYTES_MAX) {
      throw inputError(`${name} says at byte ${at} that a message of ${length} bytes follows; at most 64 MiB can`);
    }
    const message = await input.take(length);
    if (message.length < length) {
      throw inputError(`${name} ends within the message at byte ${at}: ${message.length} of ${length} bytes are there`);
    }
    if (length > 0) yield message;
  }
}

async function* lines(input: ByteInput, name: string): AsyncGenerator<Buffer> {
  for (let number = 1; ; number++) {
    const line = await input.takeLine(MESSAGE_BYTES_MAX);
    if (line === undefined) return;
    if (line.length > MESSAGE_BYTES_MAX) throw inputError(`Line ${number} of ${name} is longer than 64 MiB`);
    const text = withoutMark(line);
    if (text.some((byte) => byte > SPACE)) yield text;
  }
}

async function wholeFile(input: ByteInput, name: string): Promise<Buffer> {
  const message = await input.take(MESSAGE_BYTES_MAX + 1);
  if (message.length > MESSAGE_BYTES_MAX) throw inputError(`${name} is one message of more than 64 MiB`);
  return withoutMark(message);
}

/** JSON must not begin with a byte order mark; editors write one all the same. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** Bytes on demand from chunks of any size. */
class ByteInput {
  /** Bytes taken so far. */
  position = 0;
  /** No chunk is left to come; what was peeked may still wait. */
  ended = false;
  private readonly chunks: AsyncIterator<Uint8Array>;
  private waiting: Buffer[] = [];
  private waitingBytes = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next bytes without taking them; fewer only at the end. */
  async peek(length: number): Promise<Buffer> {
    while (this.waitingBytes < length && (await this.more())) {}
    return this.joined().subarray(0, length);
  }

  async take(length: number): Promise<Buffer> {
    while (this.waitingBytes < length && (await this.more())) {}
    const all = this.joined();
    return this.split(all, Math.min(length, all.length), 0);
  }

  /** Up to the next line's end, which is taken and left out; undefined at the end. Longer than `bytesMax`: cut there. */
  async takeLine(bytesMax: number): Promise<Buffer | undefined> {
    let searched = 0;
    for (;;) {
      const all = this.joined();
      const lineEnd = all.indexOf(LINE_END, searched);
      if (lineEnd >= 0) return this.split(all, lineEnd, 1);
      searched = all.length;
      if (searched > bytesMax) return this.split(all, searched, 0);
      if (!(await this.more())) return all.length === 0 ? undefined : this.split(all, all.length, 0);
    }
  }

  private split(all: Buffer, length: number, skip: number): Buffer {
    const rest = all.subarray(length + skip);
    this.waiting = rest.length === 0 ? [] : [rest];
    this.waitingBytes = rest.length;
    this.position += length + skip;
    return all.subarray(0, length);
  }

  private joined(): Buffer {
    if (this.waiting.length !== 1) this.waiting = [Buffer.concat(this.waiting)];
    return this.waiting[0] ?? Buffer.alloc(0);
  }

  private async more(): Promise<boolean> {
    if (this.ended) return false;
    const { done, value } = await this.chunks.next();
    if (done === true) {
      this.ended = true;
      return false;
    }
    this.waiting.push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    this.waitingBytes += value.byteLength;
    return true;
  }
}

function inputError(sentence: string): SpanloomError {
  return new SpanloomError('PRODUCE_INPUT', sentence);
}

const PREFIX_BYTES = 4;
const LINE_END = 0x0a;
const SPACE = 0x20;
