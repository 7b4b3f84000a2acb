import { ByteBudget } from '../core/byte-budget.ts';
import type { Intake, RequestReport } from '../ports.ts';

export interface IntakeFixture extends Intake {
  readonly records: Buffer[];
  readonly reports: RequestReport[];
  readonly heldBytes: number;
  /** What `give` answers. */
  answer: Promise<boolean>;
}

/** The doors' port into the service, in memory; budget and record size as given. */
export function intakeFixture({ heldBytesMax = 1_000_000, recordBytesMax = 100_000 } = {}): IntakeFixture {
  const budget = new ByteBudget(heldBytesMax);
  const records: Buffer[] = [];
  const reports: RequestReport[] = [];
  return {
    recordBytesMax,
    records,
    reports,
    answer: Promise.resolve(true),
    async give(more) {
      records.push(...more);
      return this.answer;
    },
    tryHold: (bytes) => budget.tryTake(bytes),
    release: (bytes) => budget.give(bytes),
    report: (report) => reports.push(report),
    get heldBytes() {
      return budget.bytes;
    },
  };
}
