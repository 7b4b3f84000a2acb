import { describe, expect, it } from '@jest/globals';
import { WireWriter } from '../../../lib/trace/wire-writer.ts';
import { judgeGrpc } from './grpc-answer.ts';

/** A google.rpc.Status with one detail of the named type. */
function statusWith(type: string, seconds: number, nanos = 0): Buffer {
  const out = new WireWriter(128);
  const detail = out.begin(0x1a, 64);
  out.textField(0x0a, `type.googleapis.com/${type}`);
  const info = out.begin(0x12, 16);
  const delay = out.begin(0x0a, 16);
  out.varint(0x08);
  out.varint(seconds);
  out.varint(0x10);
  out.varint(nanos);
  out.end(delay);
  out.end(info);
  out.end(detail);
  return out.toBuffer();
}

const answered = (code: number, details = '', statusDetails?: Buffer) =>
  judgeGrpc({ code, details, statusDetails, response: undefined });

describe('judgeGrpc', () => {
  it.each([
    ['CANCELLED', 1, 'retry'],
    ['UNKNOWN', 2, 'failed'],
    ['INVALID_ARGUMENT', 3, 'refused'],
    ['DEADLINE_EXCEEDED', 4, 'retry'],
    ['NOT_FOUND', 5, 'retry'],
    ['ALREADY_EXISTS', 6, 'refused'],
    ['PERMISSION_DENIED', 7, 'retry'],
    ['RESOURCE_EXHAUSTED', 8, 'retry'],
    ['FAILED_PRECONDITION', 9, 'refused'],
    ['ABORTED', 10, 'retry'],
    ['OUT_OF_RANGE', 11, 'retry'],
    ['UNIMPLEMENTED', 12, 'retry'],
    ['INTERNAL', 13, 'failed'],
    ['UNAVAILABLE', 14, 'retry'],
    ['DATA_LOSS', 15, 'retry'],
    ['UNAUTHENTICATED', 16, 'retry'],
  ])('takes %s for what it is', (name, code, kind) => {
    expect(answered(code, 'so it is')).toMatchObject({
      kind,
      why: expect.stringContaining(`it answered ${name}: so it is`),
    });
  });

  it('sends a person to a login that is wrong', () => {
    expect(answered(16)).toMatchObject({ why: expect.stringContaining('correct its address or login') });
  });

  it.each([
    ['grpc-go', 8, 'grpc: received message larger than max (5000000 vs. 4194304)'],
    ['grpc-java', 8, 'gRPC message exceeds maximum size 4194304: 5000000'],
    ['grpc-js', 8, 'Received message larger than max (200000 vs 100000)'],
    ['grpc-dotnet', 8, 'Received message exceeds the maximum configured message size.'],
    ['tonic', 11, 'Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes'],
  ])('knows a message that is too large by the words of %s', (_, code, details) => {
    expect(answered(code, details).kind).toBe('too_large');
  });

  it('waits as long as RetryInfo says, and not for ever', () => {
    expect(answered(14, '', statusWith('google.rpc.RetryInfo', 2, 500_000_000))).toMatchObject({ waitMs: 2_500 });
    expect(answered(8, 'slow down', statusWith('google.rpc.RetryInfo', 1e9))).toMatchObject({ waitMs: 600_000 });
    expect(answered(14, '', statusWith('google.rpc.ErrorInfo', 2))).toMatchObject({ waitMs: undefined });
    expect(answered(14, '', Buffer.from([0x1a, 0x7f, 1]))).toMatchObject({ kind: 'retry', waitMs: undefined });
  });

  it('tells how many spans were rejected of what was taken', () => {
    const out = new WireWriter(32);
    const partial = out.begin(0x0a, 16);
    out.varint(0x08);
    out.varint(3);
    out.textField(0x12, 'too old');
    out.end(partial);
    const response = out.toBuffer();
    const ok = { code: 0, details: '', statusDetails: undefined };
    expect(judgeGrpc({ ...ok, response })).toEqual({ kind: 'delivered', rejectedSpans: 3, why: 'too old' });
    expect(judgeGrpc({ ...ok, response: Buffer.alloc(0) })).toEqual({ kind: 'delivered' });
  });
});
