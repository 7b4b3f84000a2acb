import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import type { OnProblem } from './list-objects.ts';
import { datasetFolder, isPutUnderWay } from './object-keys.ts';
import { rowCount } from './parquet-rows.ts';
import { readChain } from './read-chain.ts';

export interface Verified {
  entries: number;
  objects: number;
  /** Rows of the spans dataset that are there. */
  spans: number;
  traces: number;
  /** Objects that a gap entry says were never made. */
  lostObjects: number;
}

/**
 * Compares the bucket with the chain. What an archiver is writing this moment shows as missing: verify again.
 * @throws SpanloomError ARCHIVE_CHAIN_BROKEN when entries do not tile the offsets.
 */
export async function verifyArchive(bucket: Bucket, prefix: string, onProblem: OnProblem): Promise<Verified> {
  const sizes = new Map<string, number>();
  for (const dataset of ['spans', 'traces'] as const) {
    for await (const { key, bytes } of bucket.list(datasetFolder(prefix, dataset))) sizes.set(key, bytes);
  }
  const seen: Verified = { entries: 0, objects: 0, spans: 0, traces: 0, lostObjects: 0 };
  // Listed before the chain is read: an object without an entry is foreign, since entries come first.
  for await (const { entry, gap } of readChain(bucket, prefix)) {
    seen.entries++;
    for (const { key, dataset, rows } of entry.objects) {
      const bytes = sizes.get(key) ?? (await bucket.head(key))?.bytes;
      sizes.delete(key);
      if (bytes === undefined) {
        if (gap?.missing.includes(key)) seen.lostObjects++;
        else onProblem({ key, why: 'the chain names it, but it is not there' });
        continue;
      }
      const found = await rowCount(bucket, { key, bytes }).catch((error: unknown) => {
        if (error instanceof SpanloomError) throw error;
        onProblem({ key, why: `it cannot be read: ${error instanceof Error ? error.message : error}` });
      });
      if (found === undefined) continue;
      seen.objects++;
      seen[dataset] += found;
      if (found !== rows) onProblem({ key, why: `it holds ${found} rows, the chain says ${rows}` });
    }
  }
  for (const key of sizes.keys()) if (!isPutUnderWay(key)) onProblem({ key, why: 'no entry of the chain names it' });
  return seen;
}
