/**
 * What the assembler's protection costs: its own code with all checks against the same without any, in turn, and a commit
 * with ledger and transaction against bare writes to a real Kafka. Reading from Kafka and talking to Redis, which the
 * service does besides, are in neither figure, so the share is an upper bound.
 *
 *     node scripts/run.js script bench/protection-cost.ts [--spans 300000] [--json]
 */
import { parseArgs } from 'node:util';
import { ledgerEntryCodec } from '../lib/codec/records.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { openFencedWriter } from '../lib/kafka/fenced-writer.ts';
import type { OutRecord } from '../lib/kafka/types.ts';
import { startStack } from '../lib/testkit/stack/stack.ts';
import { MemoryWindowStore } from '../services/trace-assembler/adapters/memory-window-store.ts';
import { CopyFilter } from '../services/trace-assembler/core/copy-filter.ts';
import type { StepResult, WindowStep } from '../services/trace-assembler/ports.ts';
import { benchAssembler } from './assembler-stage.ts';
import { benchMessages } from './spans.ts';

const { values } = parseArgs({
  options: { spans: { type: 'string', default: '300000' }, json: { type: 'boolean', default: false } },
});
const SPANS = Number(values.spans);
const ROUNDS = 5;
const COMMITS = 60;
const MESSAGES_PER_BUNDLE = 40;
const SPANS_PER_SECOND = 10_000;
const SPANS_PER_MESSAGE = 50;

const bundles: Buffer[] = [];
let waiting: Buffer[] = [];
for (const message of benchMessages(SPANS)) {
  waiting.push(message);
  if (waiting.length === MESSAGES_PER_BUNDLE) bundles.push(Buffer.concat(waiting.splice(0)));
}
bundles.push(Buffer.concat(waiting));
waiting = [];

/** Windows without lengths, and no memory of closed traces. */
class UncheckedStore extends MemoryWindowStore {
  private readonly fragments = new Map<string, Buffer[]>();

  override async step(_namespace: string, step: WindowStep): Promise<StepResult> {
    const remembered: null[] = [];
    for (const { windowKey, had, fragments } of step.appends) {
      const window = this.fragments.get(windowKey);
      if (had === 0) remembered.push(null);
      if (window === undefined) this.fragments.set(windowKey, [...fragments]);
      else window.push(...fragments);
    }
    const taken = step.takes.map(({ windowKey }) => {
      const window = this.fragments.get(windowKey) ?? [];
      this.fragments.delete(windowKey);
      return window;
    });
    return { remembered, taken };
  }

  override async remember(): Promise<void> {}
}

let sample: { records: readonly OutRecord[]; entry: Buffer; spans: number } | undefined;

/** @returns microseconds of CPU for each span. */
async function assemble(isProtected: boolean): Promise<number> {
  const { mark, keptHashes } = CopyFilter.prototype;
  if (!isProtected) Object.assign(CopyFilter.prototype, { mark: () => 0, keptHashes: () => Buffer.alloc(0) });
  let spans = 0;
  const stage = benchAssembler(
    (spanCount) => {
      spans += spanCount;
    },
    isProtected ? undefined : new UncheckedStore(0),
  );
  await stage.recover(undefined, { nonce: 'bench' });
  let nowMs = 1_760_000_000_000;
  let position = 0;
  let spansBefore = 0;
  const commit = async () => {
    const prepared = await stage.prepare('interval');
    if (prepared === undefined) return;
    if (isProtected) {
      const entry = ledgerEntryCodec.encode({ ...prepared.entry(() => position + 1), kind: 'entry', nonce: 'bench' });
      sample ??= { records: prepared.outputs[0]?.records ?? [], entry, spans: spans - spansBefore };
    }
    spansBefore = spans;
    await stage.committed(prepared, () => (position += 1));
  };
  const cpu = process.cpuUsage();
  for (const [i, value] of bundles.entries()) {
    nowMs += (MESSAGES_PER_BUNDLE * SPANS_PER_MESSAGE * 1_000) / SPANS_PER_SECOND;
    const record = { offset: i, timestampMs: nowMs, key: null, value, headers: new Map<string, Buffer>() };
    await stage.apply([record], { streamTimeMs: nowMs, caughtUp: false, nextOffset: i + 1 });
    if (stage.full) await commit();
  }
  const { user, system } = process.cpuUsage(cpu);
  Object.assign(CopyFilter.prototype, { mark, keptHashes });
  return (user + system) / spans;
}

/** @returns microseconds of CPU for a commit, in this process. */
async function commitCost(isProtected: boolean, brokers: readonly string[]): Promise<number> {
  const kafka = createKafka({ brokers, clientId: 'spanloom-bench' });
  const writer = await openFencedWriter(kafka, {
    transactionalId: `bench-${isProtected}`,
    transactionTimeoutMs: 60_000,
  });
  const { records, entry } = sample as NonNullable<typeof sample>;
  const own = [{ key: 'entry', value: entry }];
  const cpu = process.cpuUsage();
  if (isProtected) {
    for (let i = 0; i < COMMITS; i++) {
      await writer.transaction(async (txn) => {
        await txn.send('traces', 0, records);
        await txn.send('ledger', 0, own);
      });
    }
  } else {
    await writer.transaction(async (txn) => {
      for (let i = 0; i < COMMITS; i++) await txn.send('traces', 0, records);
    });
  }
  const { user, system } = process.cpuUsage(cpu);
  await writer.close();
  return (user + system) / COMMITS;
}

const stack = await startStack({ onProgress: (line) => void process.stderr.write(`${line}\n`), services: ['kafka'] });
try {
  const { kafka: brokers } = stack.addresses;
  const admin = createKafka({ brokers, clientId: 'spanloom-bench' }).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'traces' }, { topic: 'ledger' }] });
  await admin.disconnect();
  const core = await inTurn(assemble);
  const commit = await inTurn((isProtected) => commitCost(isProtected, brokers));
  const spans = sample?.spans ?? Number.NaN;
  const perSpan = { on: core.on + commit.on / spans, off: core.off + commit.off / spans };
  const share = 1 - perSpan.off / perSpan.on;
  console.log(`own code: ${core.on.toFixed(2)} µs a span with checks, ${core.off.toFixed(2)} without`);
  console.log(
    `commit of ${spans} spans: ${(commit.on / 1_000).toFixed(2)} ms of CPU in a transaction with the ledger, ${(commit.off / 1_000).toFixed(2)} bare`,
  );
  console.log(`protection takes at most ${(share * 100).toFixed(1)} % of spans per CPU-second`);
  if (values.json) console.log(JSON.stringify({ core, commit, spans, share }));
} finally {
  await stack.stop();
}

/** Both in turn, so that the machine's moods hit both; the median of each. The first round only warms up. */
async function inTurn(measure: (isProtected: boolean) => Promise<number>): Promise<{ on: number; off: number }> {
  const [on, off]: [number[], number[]] = [[], []];
  for (let round = 0; round <= ROUNDS; round++) {
    const [checked, bare] = [await measure(true), await measure(false)];
    if (round > 0) {
      on.push(checked);
      off.push(bare);
    }
  }
  const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[ROUNDS >> 1] as number;
  return { on: median(on), off: median(off) };
}
