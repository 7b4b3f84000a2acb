import type { DeadLetter } from '../../../lib/codec/records.ts';
import type { Backoff } from '../../../lib/runtime/backoff.ts';
import { type Batch, batchId, type ForwardedTrace } from '../core/batch.ts';
import type { Circuit } from '../core/circuit.ts';
import { decide } from '../core/decide.ts';
import type { Destination } from '../core/destination.ts';
import type { Verdict } from '../core/verdict.ts';
import type { WorkerPorts } from '../ports.ts';

export interface DeliverySettings {
  readonly destination: Pick<Destination, 'name' | 'deadLetterAfterMs'>;
  readonly topic: string;
  readonly partition: number;
}

/** Brings one batch after the other to a destination: tries until each trace of it was taken or is a dead letter. */
export class Delivery {
  private readonly settings: DeliverySettings;
  private readonly ports: Pick<WorkerPorts, 'sender' | 'clock' | 'events' | 'deadLetters' | 'sha256'>;
  private readonly circuit: Circuit;
  private readonly backoff: Backoff;
  private readonly cut = new AbortController();
  private stopping = false;

  /** @param circuit shared with the other partitions of the destination. */
  constructor(
    settings: DeliverySettings,
    ports: Pick<WorkerPorts, 'sender' | 'clock' | 'events' | 'deadLetters' | 'sha256'>,
    circuit: Circuit,
    backoff: Backoff,
  ) {
    this.settings = settings;
    this.ports = ports;
    this.circuit = circuit;
    this.backoff = backoff;
  }

  /** A request that is under way has some seconds for its answer, so that it need not be sent again. */
  stop(): void {
    if (this.stopping) return;
    this.stopping = true;
    setTimeout(() => this.cut.abort(), DRAIN_MS).unref();
  }

  /** @returns false when it was stopped before all of the batch was dealt with. */
  async deliver(batch: Batch): Promise<boolean> {
    const pieces: Piece[] = [this.piece(batch)];
    for (;;) {
      const piece = pieces.shift();
      if (piece === undefined) return true;
      const go = await this.mayAsk(piece);
      if (go === 'stopped') return false;
      if (go === 'too_old') {
        await this.buryOld(piece, pieces, 'it has been down');
        continue;
      }
      const beganMs = this.ports.clock.monotonicMs();
      piece.attempts++;
      const verdict = await this.ports.sender.send(piece.batch, this.cut.signal, batchId(piece.batch, this.settings));
      if (verdict.kind === 'delivered') this.delivered(piece, verdict, beganMs);
      else if (this.cut.signal.aborted) return this.giveUp();
      else await this.notTaken(piece, verdict, pieces);
    }
  }

  private piece(batch: Batch): Piece {
    return { batch, attempts: 0, deliveriesBefore: this.circuit.deliveries };
  }

  private delivered({ batch }: Piece, verdict: Verdict & { kind: 'delivered' }, beganMs: number): void {
    const { clock, events } = this.ports;
    this.circuit.succeeded();
    this.tellCircuit();
    this.backoff.reset();
    events.delivered(batch, clock.monotonicMs() - beganMs);
    if (verdict.rejectedSpans !== undefined) events.rejectedSpans(verdict.rejectedSpans, verdict.why ?? '');
  }

  private async notTaken(
    piece: Piece,
    verdict: Exclude<Verdict, { kind: 'delivered' }>,
    pieces: Piece[],
  ): Promise<void> {
    const { clock, events } = this.ports;
    const { deadLetterAfterMs } = this.settings.destination;
    const isAnswer = verdict.kind === 'refused' || verdict.kind === 'too_large';
    if (isAnswer) this.circuit.answered();
    else this.circuit.failed(clock.monotonicMs(), verdict.waitMs);
    this.tellCircuit();
    const step = decide(verdict, {
      traces: piece.batch.length,
      attempts: piece.attempts,
      othersDelivered: this.circuit.deliveries > piece.deliveriesBefore,
      ageMs: clock.wallMs() - oldestOf(piece.batch),
      deadLetterAfterMs,
    });
    switch (step) {
      case 'split': {
        events.failed(verdict.why, 'halved', 0);
        const half = piece.batch.length >> 1;
        const halves = [piece.batch.slice(0, half), piece.batch.slice(half)];
        pieces.unshift(...halves.map((batch) => ({ ...piece, batch, attempts: 0 })));
        return;
      }
      case 'bury_refused':
        events.failed(verdict.why, 'given up', 0);
        return this.bury(piece.batch, 'forward_refused', 'FORWARD_REFUSED', verdict.why);
      case 'bury_old':
        return this.buryOld(piece, pieces, verdict.why);
      case 'again': {
        const waitMs = Math.max(this.backoff.nextMs(), isAnswer ? 0 : (verdict.waitMs ?? 0));
        events.failed(verdict.why, 'tried again', waitMs);
        // Behind the others: if they get through, it is these traces and not the destination.
        pieces.push(piece);
        await this.pause(waitMs);
      }
    }
  }

  private async buryOld(piece: Piece, pieces: Piece[], why: string): Promise<void> {
    const since = this.ports.clock.wallMs() - this.settings.destination.deadLetterAfterMs;
    const isOld = ({ appendMs }: ForwardedTrace) => appendMs <= since;
    await this.bury(piece.batch.filter(isOld), 'forward_too_old', 'FORWARD_TOO_OLD', why);
    const young = piece.batch.filter((each) => !isOld(each));
    if (young.length > 0) pieces.unshift({ ...piece, batch: young });
  }

  private async bury(batch: Batch, reason: string, code: string, why: string): Promise<void> {
    const { topic, partition, destination } = this.settings;
    const letters = batch.map(
      ({ trace, offset, appendMs }): DeadLetter => ({
        ...{ topic, partition, offset, index: null, reason, code },
        detail: `destination ${destination.name} did not take trace ${trace.traceId}: ${why}`,
        ...{ size: trace.otlp.length, sha256: this.ports.sha256(trace.otlp), encoding: 'otlp_proto' },
        ...{ service: 'forwarder', time: appendMs, payload: null },
      }),
    );
    await this.ports.deadLetters(letters);
    this.ports.events.buried(letters);
  }

  /** Waits until the circuit lets a request pass. While it is open, what is too old need not wait for its turn to fail. */
  private async mayAsk({ batch }: Piece): Promise<'now' | 'stopped' | 'too_old'> {
    const { clock } = this.ports;
    while (!this.stopping) {
      const waitMs = this.circuit.ask(clock.monotonicMs());
      if (waitMs === 0) return 'now';
      this.tellCircuit();
      const isOld = clock.wallMs() - oldestOf(batch) >= this.settings.destination.deadLetterAfterMs;
      if (isOld && this.circuit.state(clock.monotonicMs()) === 'open') return 'too_old';
      await this.pause(Math.min(waitMs, PAUSE_STEP_MS));
    }
    return 'stopped';
  }

  private giveUp(): false {
    this.circuit.gaveUp();
    return false;
  }

  private tellCircuit(): void {
    this.ports.events.circuit(this.circuit.state(this.ports.clock.monotonicMs()));
  }

  private async pause(ms: number): Promise<void> {
    const { clock } = this.ports;
    const until = clock.monotonicMs() + ms;
    for (;;) {
      const left = until - clock.monotonicMs();
      if (left <= 0 || this.stopping) return;
      await clock.sleep(Math.min(left, PAUSE_STEP_MS));
    }
  }
}

interface Piece {
  readonly batch: Batch;
  attempts: number;
  readonly deliveriesBefore: number;
}

function oldestOf(batch: Batch): number {
  return batch.reduce((oldest, { appendMs }) => Math.min(oldest, appendMs), Number.POSITIVE_INFINITY);
}

const DRAIN_MS = 5_000;
const PAUSE_STEP_MS = 250;
