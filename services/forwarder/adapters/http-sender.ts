import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { describeError } from '../../../lib/errors/spanloom-error.ts';
import { createHttpPoster, type PostAnswer } from '../../../lib/http/http-post.ts';
import type { Batch } from '../core/batch.ts';
import type { HttpDestination } from '../core/destination.ts';
import { judgeOtlp } from '../core/otlp-answer.ts';
import { judgeHttp, type Verdict } from '../core/verdict.ts';
import { zipkinJson } from '../core/zipkin-json.ts';
import type { Sender } from '../ports.ts';

/** Posts each batch to the receiver that a destination names. */
export function createHttpSender(
  destination: HttpDestination,
  options: { tls: ConnectionOptions; wallMs: () => number },
): Sender {
  const { url, timeoutMs, compression, kind } = destination;
  const { contentType, encode, judge } = PROTOCOLS[kind];
  const poster = createHttpPoster({ timeoutMs, tls: options.tls });
  const headers = {
    ...destination.headers,
    'content-type': contentType,
    'user-agent': 'spanloom-forwarder',
    ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  };
  return {
    async send(batch, stop) {
      let encoded: Buffer;
      try {
        encoded = encode(batch);
      } catch (error) {
        return { kind: 'refused', why: describeError(error) };
      }
      try {
        const body = compression === 'gzip' ? await compress(encoded, FAST) : encoded;
        return judge(await poster.post({ url, headers, body }, stop), options.wallMs());
      } catch (error) {
        return { kind: 'retry', why: describeError(error) };
      }
    },
    async close() {
      poster.close();
    },
  };
}

/** How batches are written for a kind of receiver, and what its answers mean. */
interface HttpProtocol {
  readonly contentType: string;
  encode(batch: Batch): Buffer;
  judge(answer: PostAnswer, nowMs: number): Verdict;
}

const PROTOCOLS: Readonly<Record<HttpDestination['kind'], HttpProtocol>> = {
  otlp_http: {
    contentType: 'application/x-protobuf',
    // OTLP requests one behind the other are one request.
    encode: (batch) => Buffer.concat(batch.map(({ trace }) => trace.otlp)),
    judge: judgeOtlp,
  },
  zipkin: { contentType: 'application/json', encode: zipkinJson, judge: judgeHttp },
};

const compress = promisify<Buffer, { level: number }, Buffer>(gzip);
/** Level 1 takes a third of the time of level 6, for a tenth more bytes on OTLP. */
const FAST = { level: 1 };
