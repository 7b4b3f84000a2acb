import type { ChainEntry } from '../../lib/archive/chain.ts';
import { newFindings, report, type StageFindings } from './findings.ts';

/** What the archiver's code makes of the same offsets: key, rows and digest of each object. */
export type RebuiltObjects = ReadonlyMap<string, { readonly rows: number; readonly digest: string }>;

/** Trace records against the archive's chain: each in one entry, and each entry's objects as its records say. */
export class ArchiveTiling {
  readonly findings: StageFindings = newFindings('archive', 'trace records');
  private readonly named = new Set<string>();

  /**
   * @param rebuilt undefined when retention has taken records of the range.
   * @param exists whether the bucket holds an object.
   * @param lost keys that the archiver itself has declared lost.
   */
  check(
    key: string,
    entry: ChainEntry,
    rebuilt: RebuiltObjects | undefined,
    exists: (key: string) => boolean,
    lost: readonly string[],
  ): void {
    const { findings } = this;
    for (const object of entry.objects) {
      if (this.named.has(object.key)) report(findings, 'double', object.key, `is named by ${key} and by another entry`);
      this.named.add(object.key);
      if (lost.includes(object.key)) findings.gap++;
      else if (!exists(object.key)) report(findings, 'missing', object.key, `${key} names it, the bucket has it not`);
      if (rebuilt === undefined) continue;
      const own = rebuilt.get(object.key);
      if (own === undefined) report(findings, 'foreign', object.key, `no record of ${key} belongs into it`);
      else if (own.rows !== object.rows || own.digest !== object.digest) {
        const detail = `${object.rows} rows of ${object.digest.slice(0, 12)}…, the log has ${own.rows} of ${own.digest.slice(0, 12)}…`;
        report(findings, 'altered', object.key, detail);
      }
    }
    for (const own of rebuilt?.keys() ?? []) {
      if (!entry.objects.some((object) => object.key === own)) report(findings, 'missing', own, `${key} leaves it out`);
    }
    if (rebuilt === undefined) findings.gap += entry.records;
    else findings.matched += entry.records;
  }

  /** An entry that is not asked for: its objects are no strangers. */
  leaveOut(entry: ChainEntry): void {
    for (const { key } of entry.objects) this.named.add(key);
  }

  /** Every object that anyone finds who lists the bucket must be in the chain. */
  checkListed(keys: Iterable<string>): void {
    for (const key of keys) {
      if (!this.named.has(key)) report(this.findings, 'foreign', key, 'no entry of the chain names this object');
    }
  }
}
