import { describe, expect, it } from '@jest/globals';
import { otlp } from '../../lib/testkit/otlp-builder.ts';
import type { FileFormat } from './detect-format.ts';
import { splitMessages } from './split-messages.ts';

const FIRST = otlp([{ service: 'web', spans: [{ id: 1, name: 'GET /' }] }]);
const SECOND = otlp([{ service: 'app', spans: [{ id: 2, parent: 1, name: 'GET /'.repeat(80) }] }]);
const JSON_MESSAGE = { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'GET /' }] }] }] };

describe('splitMessages', () => {
  it('takes a file that is one OTLP request as it is', async () => {
    expect(await split(FIRST)).toEqual([FIRST]);
  });

  it('takes length-prefixed messages one by one', async () => {
    expect(await split(prefixed(FIRST, SECOND))).toEqual([FIRST, SECOND]);
  });

  it('does not care how the bytes arrive', async () => {
    const bytes = prefixed(FIRST, SECOND, FIRST);
    const oneByOne = [...bytes].map((byte) => Buffer.from([byte]));
    expect(await split(...oneByOne)).toEqual([FIRST, SECOND, FIRST]);
  });

  it('takes one JSON object spread over lines, also after a byte order mark', async () => {
    const text = JSON.stringify(JSON_MESSAGE, null, 2);
    expect(await split(Buffer.from(text))).toEqual([Buffer.from(text)]);
    expect(await split(Buffer.from(`\uFEFF${text}`))).toEqual([Buffer.from(text)]);
  });

  it('takes one JSON object per line, with empty lines and without a last line end', async () => {
    const line = JSON.stringify(JSON_MESSAGE);
    expect(await split(Buffer.from(`${line}\n\n${line}\r\n${line}`))).toEqual([
      Buffer.from(line),
      Buffer.from(`${line}\r`),
      Buffer.from(line),
    ]);
  });

  it('tells a line end before JSON from the first byte of a request', async () => {
    const text = `\n${JSON.stringify(JSON_MESSAGE, null, 2)}`;
    expect(await split(Buffer.from(text))).toEqual([Buffer.from(text)]);
    const request = otlp([{ service: 'x'.repeat(60), spans: [{ id: 1, name: 'y' }] }]);
    expect(request[0]).toBe(0x0a);
    expect(await split(request)).toEqual([request]);
  });

  it('finds nothing in an empty file', async () => {
    expect(await split()).toEqual([]);
    expect(await split(Buffer.alloc(0))).toEqual([]);
  });

  it('says where a file ends too early', async () => {
    const bytes = prefixed(FIRST, SECOND);
    await expect(split(bytes.subarray(0, -1))).rejects.toThrow(
      `spans.bin ends within the message at byte ${FIRST.length + 4}`,
    );
    await expect(split(bytes.subarray(0, FIRST.length + 6))).rejects.toThrow(/ends within the length/);
  });

  it('refuses what is neither, unless it is told the format', async () => {
    await expect(split(Buffer.from('hello, world'))).rejects.toThrow(/spans.bin is neither/);
    expect(await splitAs('protobuf', Buffer.from('hello, world'))).toEqual([Buffer.from('hello, world')]);
  });
});

function split(...chunks: readonly Buffer[]): Promise<Buffer[]> {
  return splitAs(undefined, ...chunks);
}

async function splitAs(format: FileFormat | undefined, ...chunks: readonly Buffer[]): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  for await (const message of splitMessages(stream(chunks), 'spans.bin', format)) messages.push(message);
  return messages;
}

async function* stream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

function prefixed(...messages: readonly Buffer[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(message.length);
      return [length, message];
    }),
  );
}
