import { describe, expect, it } from '@jest/globals';
import { assembledTrace, traceLogRecord } from '../../../lib/testkit/assembled-trace.ts';
import { MemoryLog } from '../../../lib/testkit/memory-log.ts';
import { otlp } from '../../../lib/testkit/otlp-builder.ts';
import type { Revision } from './earlier-revisions.ts';
import { ReadAgain } from './read-again.ts';

describe('an earlier revision that is read again', () => {
  it('is the record that was read before', async () => {
    const log = logOf(1, 2, 3);
    const again = new ReadAgain(log);
    await again.prepare([], [[revisionAt(log, 1)]]);
    expect(again.at(1)).toBe(log.records[1]);
  });

  it('is gone when retention took it', async () => {
    const log = logOf(1, 2, 3);
    const revision = revisionAt(log, 0);
    log.start = 1;
    const again = new ReadAgain(log);
    await again.prepare([], [[revision]]);
    expect(again.at(0)).toBeUndefined();
  });

  it.each([
    ['another trace', logOf(1, 4, 3)],
    ['the same trace at another time', logOf(1, 2, 3, 1)],
    ['nothing yet', logOf(1)],
    ['no record', withHole()],
  ])('is refused when the topic was made anew and holds %s there', async (_, anew) => {
    const again = new ReadAgain(anew);
    await expect(again.prepare([], [[revisionAt(logOf(1, 2, 3), 1)]])).rejects.toMatchObject({
      code: 'TRACES_UNREADABLE',
      retryable: true,
    });
  });
});

/** One record for each trace. @param laterMs append times are so much later. */
function logOf(first: number, second?: number, third?: number, laterMs = 0): MemoryLog {
  const log = new MemoryLog();
  for (const [offset, trace] of [first, second, third].entries()) {
    if (trace === undefined) break;
    const bytes = otlp([{ service: 'web', spans: [{ id: 1 }] }], { trace });
    log.append(traceLogRecord(assembledTrace(bytes), offset, 1_700_000_000_000 + laterMs));
  }
  return log;
}

function revisionAt(log: MemoryLog, offset: number): Revision {
  const { key, timestampMs } = log.records[offset] as (typeof log.records)[number];
  return { offset, traceId: key?.latin1Slice() ?? '', appendMs: timestampMs };
}

/** A marker, or an aborted record, stands at offset 1. */
function withHole(): MemoryLog {
  const log = logOf(1, 2, 3);
  log.records.splice(1, 1);
  return log;
}
