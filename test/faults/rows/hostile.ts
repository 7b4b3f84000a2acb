import { deadLetterCodec } from '../../../lib/codec/records.ts';
import { type HostileSizes, hostileRecords } from '../../../lib/testkit/faults/hostile-records.ts';
import { SeededRandom } from '../../../lib/testkit/traffic/random.ts';
import { readTopic } from '../../support/topic.ts';
import type { Fault, FaultGroup } from '../fault.ts';
import type { FaultPipeline } from '../rig/fault-pipeline.ts';
import { waitUntil } from '../rig/wait-until.ts';

/** Bad input in the middle of ordinary traffic, while the services that meet it are killed too. */
const hostile = (sizes: HostileSizes, seed: number): Pick<Fault, 'inject' | 'spans'> => ({
  spans: 'at least',
  inject: async (pipeline) => {
    const memory = new MemoryWatch(pipeline);
    try {
      await sendAll(pipeline, sizes, seed);
    } finally {
      memory.end();
    }
    memory.judge();
  },
});

async function sendAll(pipeline: FaultPipeline, sizes: HostileSizes, seed: number): Promise<void> {
  const records = hostileRecords(new SeededRandom(seed), sizes);
  let letters = (await letterKeys(pipeline, new Set())).length;
  const unforeseen = new Set<string>();
  const killing = pipeline.process('span-router').crashAt(['before-commit:3']);
  for (const record of records) {
    const { expected } = record;
    const origin = await pipeline.source.sendRaw(record.value, expected?.spans ?? 0);
    if (expected === undefined) unforeseen.add(origin);
    else letters += expected.letters;
  }
  await pipeline.source.sendBomb(BOMB_BYTES);
  letters++;
  await killing;
  await pipeline.process('trace-assembler').restart('SIGKILL');
  const found = await waitUntil('all dead letters', async () => {
    const keys = await letterKeys(pipeline, unforeseen);
    return keys.length >= letters && keys;
  });
  if (found.length !== letters || new Set(found).size !== letters)
    throw new Error(`${letters} dead letters were due, there are ${found.length}: ${found}`);
}

const SMALL = { hugeTraceSpans: 12_000, chainSpans: 10_000, attributeBytes: 5_000_000, flips: 20 };

export const HOSTILE: FaultGroup = {
  pipeline: { name: 'hostile', seed: 9 },
  faults: [
    {
      name: 'hostile records between ordinary ones, and the services killed over them',
      fast: true,
      ...hostile(SMALL, 1),
    },
  ],
};

/** Keys of the router's dead letters for records whose fate was foreseen. */
async function letterKeys(pipeline: FaultPipeline, unforeseen: ReadonlySet<string>): Promise<string[]> {
  const records = await readTopic(pipeline.topics.deadLetters, 1, pipeline.stack.addresses.kafka);
  return records.flatMap(({ key, value }) => {
    if (key === null || value === null) return [];
    const letter = deadLetterCodec.decode(value);
    const isForeseen = !unforeseen.has(`${letter.topic}/${letter.partition}/${letter.offset}`);
    return letter.service === 'span-router' && isForeseen ? [key.toString()] : [];
  });
}

/** Asks each process for its memory until `end`; `judge` throws when one had more than it may. */
class MemoryWatch {
  private readonly highest = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;

  constructor(pipeline: FaultPipeline) {
    this.timer = setInterval(async () => {
      for (const process of pipeline.processes) {
        const bytes = await process.metric('process_resident_memory_bytes');
        this.highest.set(process.name, Math.max(bytes, this.highest.get(process.name) ?? 0));
      }
    }, 500);
  }

  end(): void {
    clearInterval(this.timer);
  }

  judge(): void {
    const all = [...this.highest].map(([name, bytes]) => `${name} ${(bytes / 1e6).toFixed(0)} MB`).join(', ');
    process.stderr.write(`most memory: ${all}\n`);
    if (Math.max(...this.highest.values()) > RSS_MAX) throw new Error(`memory is not bounded: ${all}`);
  }
}

/** More than KAFKA_DECOMPRESSED_BYTES_MAX. */
const BOMB_BYTES = 80 * 1024 * 1024;
const RSS_MAX = 700e6;
