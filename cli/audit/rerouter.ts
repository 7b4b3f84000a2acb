import { DECODERS } from '../../lib/codec/ingest/decoders.ts';
import { partitionOfTraceId } from '../../lib/kafka/murmur2.ts';
import type { LogRecord } from '../../lib/kafka/types.ts';
import { keyedHash, sha256 } from '../../services/span-router/adapters/hashes.ts';
import { type RouterSettings, redactionOf } from '../../services/span-router/config.ts';
import { RedactionRules } from '../../services/span-router/core/redaction-rules.ts';
import { RouteBuilder } from '../../services/span-router/core/route.ts';
import { encodingOf } from '../../services/span-router/ingest-topics.ts';
import type { Rerouted } from './bundle-tiling.ts';

/** The span-router's own code, for one record of an ingest partition at a time. */
export class Rerouter {
  private readonly route: RouteBuilder;
  private letterKeys: string[] = [];

  constructor(topic: string, partition: number, { router }: { readonly router: RouterSettings }, partitions: number) {
    const source = `${topic}/${partition}`;
    this.route = new RouteBuilder(
      {
        topic,
        partition,
        encoding: encodingOf(topic, router.INGEST_TOPICS, router.INGEST_ENCODING),
        partitions,
        spanBytesMax: router.SPAN_BYTES_MAX,
        rules: new RedactionRules(redactionOf(router)),
        deadLetterPayload: false,
      },
      {
        decoders: DECODERS,
        partitionOfTrace: (bytes, offset) => partitionOfTraceId(bytes, offset, partitions),
        hashValue: keyedHash(router.REDACT_HASH_KEY ?? ''),
        sha256,
        encodeDeadLetter: ({ offset, index }) => {
          this.letterKeys.push(index === null ? `${source}/${offset}` : `${source}/${offset}/${index}`);
          return Buffer.alloc(0);
        },
        earliestOffset: async () => 0,
        routed: () => {},
      },
    );
  }

  reroute(record: LogRecord): Rerouted {
    this.letterKeys = [];
    this.route.clear();
    this.route.take(record);
    return { bundles: this.route.takeBundles(), letterKeys: this.letterKeys };
  }
}
