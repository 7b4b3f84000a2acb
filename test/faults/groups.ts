import type { FaultGroup } from './fault.ts';
import { CLOCKS } from './rows/clocks.ts';
import { HOSTILE } from './rows/hostile.ts';
import { KAFKA } from './rows/kafka.ts';
import { RETENTION_INGEST, RETENTION_SPANS } from './rows/logs.ts';
import { OBJECT_STORE } from './rows/object-store.ts';
import { CRASHES, TAKEOVERS } from './rows/processes.ts';
import { RECREATED_SPANS, RECREATED_TRACES } from './rows/recreated.ts';
import { REDIS } from './rows/redis.ts';

/** The whole fault table, in the order in which it is run. */
export const GROUPS: readonly FaultGroup[] = [
  CRASHES,
  TAKEOVERS,
  ...halves(REDIS),
  ...halves(KAFKA),
  OBJECT_STORE,
  RETENTION_INGEST,
  RETENTION_SPANS,
  RECREATED_SPANS,
  RECREATED_TRACES,
  CLOCKS,
  HOSTILE,
];

/** Each audit reads everything since the pipeline began, so two short lives cost half of a long one. */
function halves({ pipeline, faults }: FaultGroup): FaultGroup[] {
  const middle = Math.ceil(faults.length / 2);
  return [faults.slice(0, middle), faults.slice(middle)].map((half, i) => ({
    pipeline: { ...pipeline, name: `${pipeline.name}-${i + 1}` },
    faults: half,
  }));
}

/** One pipeline through a fault of each kind, for `npm test`. */
export const FAST: FaultGroup = {
  pipeline: { name: 'fast', scale: { 'trace-assembler': 2 }, env: { S3_REQUEST_TIMEOUT_MS: '2000' } },
  faults: GROUPS.flatMap(({ faults }) => faults).filter(({ fast }) => fast),
};
