import { Agent, request } from 'node:http';
import { scanOtlpRequest } from '../lib/trace/otlp-scan.ts';
import { SpanTable } from '../lib/trace/span-table.ts';
import { benchMessages } from './spans.ts';

export interface SendersOptions {
  /** Where to post, e.g. `http://127.0.0.1:4318/v1/traces`. */
  readonly url: string;
  /** Each has a connection and one request under way. */
  readonly senders: number;
  readonly seconds: number;
}

export interface Sent {
  /** Numbers of the requests that were answered with 200. */
  readonly acknowledged: readonly number[];
  /** Requests by the code of their answer; 0 for none. */
  readonly answers: Readonly<Record<number, number>>;
}

/**
 * Posts OTLP in protobuf, SPANS_PER_REQUEST spans at a time. The number of a request stands in the trace id of each of
 * its spans, so that what arrived can be counted by request. After 429 and 503 a sender sends the same request again.
 */
export async function runSenders({ url, senders, seconds }: SendersOptions): Promise<Sent> {
  const agent = new Agent({ keepAlive: true, maxSockets: senders });
  const template = requestTemplate();
  const acknowledged: number[] = [];
  const answers: Record<number, number> = {};
  const endMs = performance.now() + seconds * 1000;
  let next = 0;
  const sender = async () => {
    while (performance.now() < endMs) {
      const number = next++;
      const body = template(number);
      let status = 0;
      do {
        status = await post(url, agent, body);
        answers[status] = (answers[status] ?? 0) + 1;
        if (status === 429 || status === 503) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      } while (status === 429 || status === 503);
      if (status === 200) acknowledged.push(number);
    }
  };
  await Promise.all(Array.from({ length: senders }, sender));
  agent.destroy();
  return { acknowledged, answers };
}

/** Spans of requests by number, as requestTemplate wrote them. */
export function countRequestSpans(record: Buffer, table: SpanTable, counts: Map<number, number>): void {
  if (scanOtlpRequest(record, table) !== undefined) throw new Error('the collector wrote what is no OTLP request');
  for (let row = 0; row < table.count; row++) {
    const number = record.readUInt32BE((table.traceId[row] as number) + NUMBER_AT);
    counts.set(number, (counts.get(number) ?? 0) + 1);
  }
}

function requestTemplate(): (number: number) => Buffer {
  const [first, second] = benchMessages(SPANS_PER_REQUEST * 100);
  const template = Buffer.concat([first as Buffer, second as Buffer]);
  const table = new SpanTable();
  scanOtlpRequest(template, table);
  if (table.count !== SPANS_PER_REQUEST) throw new Error(`the template has ${table.count} spans`);
  const places = Array.from({ length: table.count }, (_, row) => (table.traceId[row] as number) + NUMBER_AT);
  return (number) => {
    const body = Buffer.from(template);
    for (const at of places) body.writeUInt32BE(number, at);
    return body;
  };
}

function post(url: string, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/x-protobuf', 'content-length': body.length };
    const sending = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
      response.once('error', () => resolve(0));
    });
    sending.once('error', () => resolve(0));
    sending.end(body);
  });
}

export const SPANS_PER_REQUEST = 100;
const NUMBER_AT = 4;
const RETRY_MS = 1_000;
