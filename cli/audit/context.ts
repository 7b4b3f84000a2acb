import type { Kafka } from 'kafkajs';
import type { TimedLog } from '../../lib/kafka/partition-log.ts';
import type { Bucket } from '../../lib/s3/bucket.ts';
import type { TopicNames } from '../../lib/topics/topics.ts';
import type { GraphServiceSettings } from '../../services/graph-builder/config.ts';
import type { RouterSettings } from '../../services/span-router/config.ts';
import type { Extent, Extents } from './extent.ts';
import type { StageFindings } from './findings.ts';

export interface AuditOptions {
  readonly kafka: Kafka;
  readonly topics: TopicNames;
  readonly prefix: string;
  readonly router: RouterSettings;
  /** Ingest topics besides those that a router has already worked on; `/…/` is a pattern. */
  readonly ingestTopics: readonly string[];
  readonly graph: GraphServiceSettings;
  /** Undefined: there is no archive to audit. */
  readonly bucket: Bucket | undefined;
  /** Most keys held at once, about 100 bytes each. */
  readonly keysMax: number;
  /** Absent: everything that is retained. */
  readonly extents?: Extents;
  /**
   * Judges only what cannot change any more, each part of the input once: the extents of the result are those of the next
   * round. Objects that nobody names are looked for by whole audits only.
   */
  readonly isRound?: boolean;
  readonly onProgress: (sentence: string) => void;
}

/** What the audit of one stage works with. */
export interface StageContext extends AuditOptions {
  readonly extent: Extent;
  /** Opens all partitions of a topic; closed with the audit. */
  open(topic: string): Promise<readonly TimedLog[]>;
}

export interface StageResult {
  readonly findings: StageFindings;
  readonly next: Extent;
}
