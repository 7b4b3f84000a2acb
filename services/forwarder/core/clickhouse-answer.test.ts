import { describe, expect, it } from '@jest/globals';
import { judgeClickHouse } from './clickhouse-answer.ts';

const answered = (status: number, body: string) =>
  judgeClickHouse({ status, retryAfter: '', contentType: 'text/plain', body: Buffer.from(body) }, 0);
const exception = (code: number, text: string) => `Code: ${code}. DB::Exception: ${text}. (NAME) (version 26.9.2.1)\n`;

describe('judgeClickHouse', () => {
  it.each([
    ['an empty success', 200, '', 'delivered'],
    ['rows that it cannot read', 400, exception(41, 'Cannot read DateTime'), 'refused'],
    ['rows that older servers call an error of their own', 500, exception(27, 'Cannot parse input'), 'refused'],
    ['a table that is not there', 404, exception(60, 'Table d.otel_traces does not exist'), 'retry'],
    ['a column that is not there', 400, exception(16, 'No such column Links.TraceId'), 'retry'],
    ['a wrong password', 403, exception(516, 'Authentication failed'), 'retry'],
    ['a user who may not write', 500, exception(164, 'Cannot execute query in readonly mode'), 'retry'],
    ['too many parts', 500, exception(252, 'Too many parts (3000). Merges are slower than inserts'), 'retry'],
    ['days beyond number', 500, exception(252, 'Too many partitions for single INSERT block'), 'too_large'],
    ['too many queries', 500, exception(202, 'Too many simultaneous queries. Maximum: 100'), 'retry'],
    ['no memory', 500, exception(241, 'Memory limit (total) exceeded'), 'failed'],
    ['an exception behind a status of success', 200, exception(241, 'Memory limit exceeded'), 'failed'],
    ['a proxy before it', 502, '<html>', 'retry'],
    ['a proxy with a limit', 413, '', 'too_large'],
    ['what it has no word for', 400, 'Bad Request', 'refused'],
  ])('takes %s for what it is', (_, status, body, kind) => {
    expect(answered(status, body).kind).toBe(kind);
  });

  it('says what ClickHouse said, and what a person can do', () => {
    expect(answered(404, exception(60, 'Table d.otel_traces does not exist'))).toMatchObject({
      why: expect.stringMatching(
        /^it answered 404: Code: 60\. DB::Exception: Table d\.otel_traces does not exist.*; correct the table/,
      ),
    });
  });
});
