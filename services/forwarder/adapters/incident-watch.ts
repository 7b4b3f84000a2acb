import { incidentCodec } from '../../../lib/codec/incident-records.ts';
import { describeError } from '../../../lib/errors/spanloom-error.ts';
import { lossBehind } from '../../../lib/kafka/behind-loss.ts';
import type { LogRecord, PartitionLog } from '../../../lib/kafka/types.ts';
import type { Logger } from '../../../lib/observability/logger.ts';
import type { Clock } from '../../../lib/runtime/clock.ts';
import { IncidentBook } from '../core/sampling/open-incidents.ts';

/** Follows the incidents topic, so that traces of what is broken now can be kept. It is in no consumer group. */
export class IncidentWatch {
  readonly book = new IncidentBook();
  private readonly log: PartitionLog;
  private readonly clock: Clock;
  private readonly logger: Pick<Logger, 'warn'>;
  private next = 0;
  private stopping = false;
  private running: Promise<void> | undefined;

  constructor(log: PartitionLog, clock: Clock, logger: Pick<Logger, 'warn'>) {
    this.log = log;
    this.clock = clock;
    this.logger = logger;
  }

  /** Resolves once it knows every incident that is open. */
  async start(): Promise<void> {
    const { start, end: endAtFirst } = await this.log.bounds();
    let end = endAtFirst;
    this.next = start;
    while (this.next < end && !this.stopping) {
      const before = this.next;
      await this.read();
      // Made anew meanwhile.
      if (this.next < before) ({ end } = await this.log.bounds());
    }
    this.running = this.follow();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  private async follow(): Promise<void> {
    while (!this.stopping) {
      try {
        await this.read();
      } catch (error) {
        this.logger.warn('incidents cannot be read; those known stay open', { error: describeError(error) });
        await this.clock.sleep(RETRY_MS);
      }
    }
  }

  private async read(): Promise<void> {
    try {
      const fetched = await this.log.fetch({ offset: this.next, maxBytes: FETCH_BYTES, maxWaitMs: FETCH_WAIT_MS });
      for (const record of fetched.records) this.take(record);
      this.next = fetched.nextOffset;
    } catch (error) {
      this.next = (await lossBehind(error, this.log, this.next)).start;
    }
  }

  private take({ key, value }: LogRecord): void {
    const id = key?.toString() ?? '';
    try {
      this.book.take(id, value === null ? undefined : incidentCodec.decode(value));
    } catch {
      // No alerter wrote it.
    }
  }
}

const FETCH_BYTES = 1024 * 1024;
const FETCH_WAIT_MS = 500;
const RETRY_MS = 1_000;
