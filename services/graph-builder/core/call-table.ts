import { OUTCOME } from './span-attributes.ts';
import type { TraceSpans } from './trace-spans.ts';

/** The calls of one trace as columns, whoever found them. */
export class CallTable {
  count = 0;
  /** Calling span, or -1. */
  clientRow = new Int32Array(CALLS_AT_FIRST);
  /** Serving span, or -1. */
  serverRow = new Int32Array(CALLS_AT_FIRST);
  /** Span whose start is the call's. */
  startRow = new Int32Array(CALLS_AT_FIRST);
  clientOperation = new Int32Array(CALLS_AT_FIRST);
  serverOperation = new Int32Array(CALLS_AT_FIRST);
  /** Connection, peer kind and confidence, see edge-kinds.ts. */
  packed = new Uint16Array(CALLS_AT_FIRST);
  /** Bits of OUTCOME: failed when either side did. */
  outcome = new Uint8Array(CALLS_AT_FIRST);

  /** Messages that calls consumed, by call ascending: a consumer of a batch has several. */
  messageCount = 0;
  messageCall = new Int32Array(CALLS_AT_FIRST);
  /** Span that sent the message. */
  messageSender = new Int32Array(CALLS_AT_FIRST);

  protected readonly spans: TraceSpans;

  constructor(spans: TraceSpans) {
    this.spans = spans;
  }

  protected clearCalls(): void {
    this.count = 0;
    this.messageCount = 0;
  }

  /** @returns the call's number. @param clientRow,serverRow -1 when the span is not known. */
  protected add(
    clientRow: number,
    serverRow: number,
    startRow: number,
    clientOperation: number,
    serverOperation: number,
    packed: number,
  ): number {
    if (this.count === this.clientRow.length) this.growCalls();
    const { outcome } = this.spans;
    const call = this.count++;
    // A calling span under a span of another service stands for the server that is missing, but did not serve.
    const served = serverRow >= 0 && !this.spans.calls(serverRow) ? serverRow : -1;
    this.clientRow[call] = clientRow;
    this.serverRow[call] = served;
    this.startRow[call] = startRow;
    this.clientOperation[call] = clientOperation;
    this.serverOperation[call] = serverOperation;
    this.packed[call] = packed;
    const either =
      (clientRow >= 0 ? (outcome[clientRow] as number) : 0) | (served >= 0 ? (outcome[served] as number) : 0);
    this.outcome[call] = (either & OUTCOME.failed) !== 0 ? OUTCOME.failed : either & OUTCOME.answered4xx;
    return call;
  }

  /** Notes that the newest call consumed what `sender` sent. */
  protected addMessage(call: number, sender: number): void {
    if (this.messageCount === this.messageCall.length) this.growMessages();
    this.messageCall[this.messageCount] = call;
    this.messageSender[this.messageCount++] = sender;
  }

  private growCalls(): void {
    const calls = this.clientRow.length * 2;
    this.clientRow = grown(this.clientRow, new Int32Array(calls));
    this.serverRow = grown(this.serverRow, new Int32Array(calls));
    this.startRow = grown(this.startRow, new Int32Array(calls));
    this.clientOperation = grown(this.clientOperation, new Int32Array(calls));
    this.serverOperation = grown(this.serverOperation, new Int32Array(calls));
    this.packed = grown(this.packed, new Uint16Array(calls));
    this.outcome = grown(this.outcome, new Uint8Array(calls));
  }

  private growMessages(): void {
    const messages = this.messageCall.length * 2;
    this.messageCall = grown(this.messageCall, new Int32Array(messages));
    this.messageSender = grown(this.messageSender, new Int32Array(messages));
  }
}

const CALLS_AT_FIRST = 256;

function grown<T extends Int32Array | Uint16Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
