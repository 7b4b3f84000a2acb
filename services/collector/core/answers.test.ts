import { describe, expect, it } from '@jest/globals';
import { answerTo, later, type Outcome, refused, retryStatus } from './answers.ts';

const ALL: Outcome = { kind: 'taken', spans: 5, rejected: 0, reason: '' };
const PART: Outcome = { kind: 'taken', spans: 5, rejected: 2, reason: 'two are none' };
const utf8 = (outcome: Outcome, protocol: 'otlp' | 'zipkin' | undefined, isJson = false) => {
  const { body, ...rest } = answerTo(outcome, protocol, isJson);
  return { ...rest, body: body.toString('latin1') };
};

describe('answerTo', () => {
  it.each([
    ['OTLP in protobuf, all', utf8(ALL, 'otlp'), { status: 200, contentType: 'application/x-protobuf', body: '' }],
    ['OTLP in JSON, all', utf8(ALL, 'otlp', true), { status: 200, contentType: 'application/json', body: '{}' }],
    [
      'OTLP in protobuf, a part',
      utf8(PART, 'otlp'),
      { status: 200, contentType: 'application/x-protobuf', body: '\x0a\x10\x08\x02\x12\x0ctwo are none' },
    ],
    [
      'OTLP in JSON, a part',
      utf8(PART, 'otlp', true),
      {
        status: 200,
        contentType: 'application/json',
        body: '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"two are none"}}',
      },
    ],
    ['Zipkin, all', utf8(ALL, 'zipkin', true), { status: 202, contentType: undefined, body: '' }],
    ['Zipkin, a part', utf8(PART, 'zipkin', true), { status: 202, contentType: undefined, body: '' }],
    [
      'OTLP refused: google.rpc.Status INVALID_ARGUMENT',
      utf8(refused(400, 'no'), 'otlp'),
      { status: 400, contentType: 'application/x-protobuf', body: '\x08\x03\x12\x02no' },
    ],
    [
      'OTLP without token: UNAUTHENTICATED',
      utf8(refused(401, 'no'), 'otlp', true),
      { status: 401, contentType: 'application/json', body: '{"code":16,"message":"no"}' },
    ],
    [
      'OTLP later: UNAVAILABLE, with a time',
      utf8(later(503, 'no'), 'otlp', true),
      { status: 503, contentType: 'application/json', body: '{"code":14,"message":"no"}', retryAfterS: 1 },
    ],
    [
      'Zipkin later',
      utf8(later(429, 'no'), 'zipkin', true),
      { status: 429, contentType: 'text/plain; charset=utf-8', body: 'no\n', retryAfterS: 1 },
    ],
    [
      'no path of ours',
      utf8(refused(404, 'no'), undefined),
      { status: 404, contentType: 'text/plain; charset=utf-8', body: 'no\n' },
    ],
  ])('%s', (_name, answer, expected) => {
    expect(answer).toEqual(expected);
  });
});

describe('retryStatus', () => {
  it('is a google.rpc.Status with one RetryInfo of a second', () => {
    const type = 'type.googleapis.com/google.rpc.RetryInfo';
    const any = `\x0a${String.fromCharCode(type.length)}${type}\x12\x04\x0a\x02\x08\x01`;
    expect(retryStatus(14, 'no').toString('latin1')).toBe(
      `\x08\x0e\x12\x02no\x1a${String.fromCharCode(any.length)}${any}`,
    );
  });
});
