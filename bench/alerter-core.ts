/**
 * What the alerter costs with many subjects, without Kafka: every edge gets its counts and is judged each second, as with
 * a graph-builder that has traffic on all of them, and every ten seconds the state is written.
 *
 *     node scripts/run.js script bench/alerter-core.ts [--edges 10000] [--seconds 60] [--json]
 *
 * A twentieth of the edges each are services and entry operations besides. Ten minutes of the past come first, so that
 * rings and baselines are full. `shares` are of one core: reading, counting and judging deltas; encoding the state. Memory
 * is that of this process, with the making of the deltas.
 */
import { parseArgs } from 'node:util';
import { alerterStateCodec } from '../lib/codec/incident-records.ts';
import { type ServiceEdgeDelta, serviceEdgeDeltaCodec } from '../lib/codec/records.ts';
import { DurationHistogram } from '../lib/stats/duration-histogram.ts';
import { AlerterCore } from '../services/alerter/core/alerter-core.ts';
import { DEFAULT_RULES } from '../services/alerter/core/rules.ts';

const { values: options } = parseArgs({
  options: {
    edges: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '60' },
    json: { type: 'boolean', default: false },
  },
});
const EDGES = Number(options.edges);
const SECONDS = Number(options.seconds);
const OTHERS = Math.floor(EDGES / 20);
const T0 = 1_760_000_000_000;
const PAST_S = 600;
const WINDOW_MS = 10_000;
/** One edge in so many has an error in a second. */
const ERROR_EVERY = 100;
const RECORDS_PER_FETCH = 500;
/** The default of the alerter's COMMIT_INTERVAL_MS. */
const COMMIT_EVERY_S = 10;
const SUBJECTS: readonly (readonly [ServiceEdgeDelta['subject'], number])[] = [
  ...Array.from({ length: EDGES }, (_, i) => ['edge', i] as const),
  ...Array.from({ length: OTHERS }, (_, i) => ['service', i] as const),
  ...Array.from({ length: OTHERS }, (_, i) => ['entry', i] as const),
];

const core = new AlerterCore(DEFAULT_RULES);
const histogram = new DurationHistogram();
const used = { judge: 0, save: 0 };
let stateBytes = 0;
let announcements = 0;

for (let second = 0; second < PAST_S; second += WINDOW_MS / 1000) step(second);
const firstMb = process.memoryUsage().rss / 2 ** 20;
used.judge = used.save = stateBytes = 0;
let rssPeakMb = firstMb;
for (let second = PAST_S; second < PAST_S + SECONDS; second++) {
  step(second);
  rssPeakMb = Math.max(rssPeakMb, process.memoryUsage().rss / 2 ** 20);
}
const share = (seconds: number) => Number((seconds / SECONDS).toFixed(3));
const result = {
  edges: EDGES,
  subjects: core.figures.subjects,
  share: share(used.judge + used.save),
  shares: { judge: share(used.judge), save: share(used.save) },
  stateBytesPerSecond: Math.round(stateBytes / SECONDS),
  rssPeakMb: Math.round(rssPeakMb),
  announcements,
};
if (options.json) console.log(JSON.stringify(result));
else console.dir(result);

/** The second's deltas arrive and are judged; when a commit is due, the state is written. */
function step(second: number): void {
  const nowMs = T0 + second * 1000;
  const windowStart = Math.floor(nowMs / WINDOW_MS) * WINDOW_MS * 1000;
  for (let from = 0; from < SUBJECTS.length; from += RECORDS_PER_FETCH) {
    const records = SUBJECTS.slice(from, from + RECORDS_PER_FETCH).map(([subject, i]) =>
      serviceEdgeDeltaCodec.encode(deltaOf(subject, i, windowStart, second)),
    );
    timed('judge', () => {
      for (const record of records) core.apply(serviceEdgeDeltaCodec.decode(record), nowMs);
    });
  }
  timed('judge', () => {
    announcements += core.tick(nowMs).length;
  });
  if (second % COMMIT_EVERY_S !== 0) return;
  timed('save', () => {
    const values: (Buffer | null)[] = [];
    for (const [, state] of core.takeChanges()) values.push(state === null ? null : alerterStateCodec.encode(state));
    for (const value of values) stateBytes += value?.length ?? 0;
  });
}

function timed<T>(what: keyof typeof used, work: () => T): T {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  used[what] += (user + system) / 1e6;
  return result;
}

function deltaOf(
  subject: ServiceEdgeDelta['subject'],
  i: number,
  windowStart: number,
  second: number,
): ServiceEdgeDelta {
  histogram.clear();
  for (let call = 0; call < 5; call++) histogram.record(2_000 + ((i * 7 + second * 13 + call * 31) % 100) * 400);
  const durations = histogram.sparse();
  const isEdge = subject === 'edge';
  return {
    ...{ subject, windowStart, connectionType: '', peerKind: 'service', confidence: 'exact' },
    ...{ client: isEdge ? `service-${i % OTHERS}` : '', server: `service-${isEdge ? (i * 17 + 1) % EDGES : i}` },
    ...{ clientOperation: isEdge ? 'GET' : '', serverOperation: subject === 'edge' ? 'GET /' : `GET /${i}` },
    ...{ calls: 5, errors: (i + second) % ERROR_EVERY === 0 ? 1 : 0, errors4xx: 0, traces: 5 },
    ...{ clientDuration: isEdge ? durations : null, serverDuration: durations, networkGap: null, queueDelay: null },
    ...{ exemplars: [], failures: [], slowTraces: [], incompleteTraces: 0, orphanSpans: 0, versions: [], owner: '' },
  };
}
