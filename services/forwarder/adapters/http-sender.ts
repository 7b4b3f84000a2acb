import type { ConnectionOptions } from 'node:tls';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { describeError } from '../../../lib/errors/spanloom-error.ts';
import { createHttpPoster, type PostAnswer } from '../../../lib/http/http-post.ts';
import type { Batch } from '../core/batch.ts';
import { judgeClickHouse } from '../core/clickhouse-answer.ts';
import { clickHouseJson } from '../core/clickhouse-rows.ts';
import type { ClickHouseDestination, HttpDestination } from '../core/destination.ts';
import { judgeOtlp } from '../core/otlp-answer.ts';
import { judgeHttp, type Verdict } from '../core/verdict.ts';
import { zipkinJson } from '../core/zipkin-json.ts';
import type { Sender } from '../ports.ts';

/** Posts each batch to the receiver that a destination names. */
export function createHttpSender(
  destination: HttpDestination,
  options: { tls: ConnectionOptions; wallMs: () => number },
): Sender {
  const { timeoutMs, compression } = destination;
  const { contentType, encode, judge, addressOf, knowsBatches = false } = protocolOf(destination);
  const poster = createHttpPoster({ timeoutMs, tls: options.tls });
  const headers = {
    ...destination.headers,
    'content-type': contentType,
    'user-agent': 'spanloom-forwarder',
    ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  };
  return {
    knowsBatches,
    async send(batch, stop, id) {
      let encoded: Buffer;
      try {
        encoded = encode(batch);
      } catch (error) {
        return { kind: 'refused', why: describeError(error) };
      }
      try {
        const body = compression === 'gzip' ? await compress(encoded, FAST) : encoded;
        return judge(await poster.post({ url: addressOf(id), headers, body }, stop), options.wallMs());
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
  /** @param batchId names the batch in this address. */
  addressOf(batchId: string): URL;
  readonly knowsBatches?: boolean;
}

function protocolOf(destination: HttpDestination): HttpProtocol {
  const addressOf = () => destination.url;
  switch (destination.kind) {
    case 'otlp_http':
      // OTLP requests one behind the other are one request.
      return { ...OTLP, encode: (batch) => Buffer.concat(batch.map(({ trace }) => trace.otlp)), addressOf };
    case 'zipkin':
      return { contentType: 'application/json', encode: zipkinJson, judge: judgeHttp, addressOf };
    case 'clickhouse':
      return {
        ...{ contentType: 'application/x-ndjson', encode: clickHouseJson, judge: judgeClickHouse },
        addressOf: (batchId) => insertAddress(destination, batchId),
        knowsBatches: true,
      };
  }
}

/** Settings of the INSERT; those that the declared address has win. */
function insertAddress({ url, table }: ClickHouseDestination, batchId: string): URL {
  const address = new URL(url);
  const settings = {
    query: `INSERT INTO ${table} FORMAT JSONEachRow`,
    insert_deduplication_token: batchId,
    // A table may have fewer columns.
    input_format_skip_unknown_fields: '1',
    // The status is known when the rows are in.
    wait_end_of_query: '1',
    async_insert: '0',
  };
  for (const [name, value] of Object.entries(settings)) {
    if (!address.searchParams.has(name)) address.searchParams.set(name, value);
  }
  return address;
}

const OTLP = { contentType: 'application/x-protobuf', judge: judgeOtlp };
const compress = promisify<Buffer, { level: number }, Buffer>(gzip);
/** Level 1 takes a third of the time of level 6, for a tenth more bytes on OTLP. */
const FAST = { level: 1 };
