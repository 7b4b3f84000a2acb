import { zstdDecompressSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { parquetReadObjects } from 'hyparquet';
import type { StackAddresses } from '../../lib/testkit/stack/stack.ts';
import { spanKey } from './observed.ts';

/**
 * The archive as any reader sees it who globs the bucket for `…/spans/v1/…parquet`, without knowing of the chain: that
 * is whom exactly once is promised to. Objects never change, so each is read once however often the bucket is scanned.
 */
export class ArchiveScan {
  /** How often each span stands in the rows of the objects seen so far. */
  readonly spanCounts = new Map<string, number>();
  /** Parquet objects seen, spans/ and traces/ together. */
  objects = 0;
  /** Rows in spans/. */
  rows = 0;
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly prefix: string;
  private readonly seen = new Set<string>();

  /** @param prefix of the keys, with its slash. */
  constructor(s3: StackAddresses['s3'], prefix: string) {
    this.client = new S3Client({
      endpoint: s3.endpoint,
      region: s3.region,
      forcePathStyle: true,
      ...(s3.accessKeyId === ''
        ? {}
        : { credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey } }),
    });
    this.bucket = s3.bucket;
    this.prefix = prefix;
  }

  /** Reads what is new in the bucket. */
  async scan(): Promise<void> {
    for (const key of await this.parquetKeys()) {
      if (this.seen.has(key)) continue;
      if (key.includes('/spans/v1/')) await this.countRows(key);
      this.seen.add(key);
      this.objects++;
    }
  }

  close(): void {
    this.client.destroy();
  }

  private async parquetKeys(): Promise<string[]> {
    const keys: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.client.send(
        new ListObjectsV2Command({ Bucket: this.bucket, Prefix: this.prefix, ContinuationToken: token }),
      );
      for (const { Key: key } of page.Contents ?? []) if (key?.endsWith('.parquet')) keys.push(key);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return keys;
  }

  private async countRows(key: string): Promise<void> {
    const object = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
    const bytes = await object.Body?.transformToByteArray();
    if (bytes === undefined) throw new Error(`${key} came without a body`);
    const rows = await parquetReadObjects({
      file: Uint8Array.from(bytes).buffer,
      columns: ['trace_id', 'span_id'],
      compressors: { ZSTD: (packed: Uint8Array) => zstdDecompressSync(packed) },
    });
    for (const { trace_id: traceId, span_id: spanId } of rows) {
      const span = spanKey(String(traceId), String(spanId));
      this.spanCounts.set(span, (this.spanCounts.get(span) ?? 0) + 1);
    }
    this.rows += rows.length;
  }
}
