import type { Message } from 'kafkajs';
import { pause } from '../../lib/runtime/pause.ts';
import type { ExportRecord } from '../../lib/testkit/traffic/batch-exporter.ts';

/** Sends messages to the ingest topic and returns when all replicas have them. */
export type SendMessages = (messages: Message[]) => Promise<void>;

export interface SendTrafficOptions {
  readonly records: Iterable<ExportRecord>;
  readonly send: SendMessages;
  /** Milliseconds since the traffic began, on the clock that paces it. */
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Called when Kafka has them. */
  readonly onSent: (records: readonly ExportRecord[]) => void;
}

/**
 * Sends what is due, when it is due. If Kafka is slow, records wait and go out together as soon as it takes them: the
 * spans say when things happened, not when they were sent. Keys are arbitrary: each instance uses its own id, so one
 * trace comes in through several partitions.
 */
export async function sendTraffic({ records, send, elapsedMs, signal, onSent }: SendTrafficOptions): Promise<void> {
  let due: ExportRecord[] = [];
  let dueBytes = 0;
  const flush = async () => {
    if (due.length === 0) return;
    const sending = due;
    due = [];
    dueBytes = 0;
    await send(sending.map(({ instance, value }) => ({ key: instance.id, value })));
    onSent(sending);
  };
  for (const record of records) {
    if (record.atMs > elapsedMs() || dueBytes > SEND_BYTES_MAX) await flush();
    for (let waitMs = record.atMs - elapsedMs(); waitMs > 0 && !signal.aborted; waitMs = record.atMs - elapsedMs()) {
      await pause(waitMs, signal);
    }
    if (signal.aborted) return;
    due.push(record);
    dueBytes += record.value.length;
  }
  await flush();
}

const SEND_BYTES_MAX = 512 * 1024;
