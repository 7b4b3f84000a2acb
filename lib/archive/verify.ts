import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import { type Compaction, compactedFolder, decodeCompaction, parseManifestKey } from './compaction.ts';
import { diskError } from './disk-error.ts';
import type { OnProblem } from './list-objects.ts';
import { type Dataset, datasetFolders, isOtlpKey, isPutUnderWay } from './object-keys.ts';
import { parquetOfOtlp } from './otlp-read.ts';
import { readChain } from './read-chain.ts';
import { WholeReader } from './read-whole.ts';
import { RowDigest } from './row-digest.ts';

export interface Verified {
  entries: number;
  objects: number;
  /** Of the objects that are compacted ones. */
  compacted: number;
  /** Rows of the spans dataset that the chain accounts for and that are there. */
  spans: number;
  traces: number;
  bytes: number;
  /** Objects that a gap entry says were never made. */
  lostObjects: number;
}

/**
 * Compares the bucket with the chain: every object that it names is read to its last page, and its rows are counted and
 * digested anew. A compacted object must hold what the chain says of its sources, which may have expired.
 * What an archiver is writing this moment shows as missing: verify again.
 *
 * @param onProgress is told how many objects of all are done.
 * @throws SpanloomError ARCHIVE_CHAIN_BROKEN when entries do not tile the offsets.
 */
export async function verifyArchive(
  bucket: Bucket,
  prefix: string,
  onProblem: OnProblem,
  onProgress: (done: number, all: number) => void = () => {},
): Promise<Verified> {
  const folder = await mkdtemp(path.join(tmpdir(), 'spanloom-verify-'));
  const reader = await WholeReader.open();
  try {
    return await new Verification(bucket, prefix, onProblem, onProgress, reader, folder).run();
  } finally {
    reader.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Expected {
  readonly key: string;
  readonly dataset: Dataset;
  readonly rows: number;
  readonly rowDigest: string | undefined;
}

class Verification {
  private readonly bucket: Bucket;
  private readonly prefix: string;
  private readonly onProblem: OnProblem;
  private readonly onProgress: (done: number, all: number) => void;
  private readonly reader: WholeReader;
  private readonly folder: string;
  private readonly seen: Verified = {
    entries: 0,
    objects: 0,
    compacted: 0,
    spans: 0,
    traces: 0,
    bytes: 0,
    lostObjects: 0,
  };
  /** Bytes of each object that is listed and not looked at yet. */
  private readonly sizes = new Map<string, number>();
  private readonly compactions: Compaction[] = [];
  private all = 0;
  private done = 0;

  constructor(
    bucket: Bucket,
    prefix: string,
    onProblem: OnProblem,
    onProgress: (done: number, all: number) => void,
    reader: WholeReader,
    folder: string,
  ) {
    this.bucket = bucket;
    this.prefix = prefix;
    this.onProblem = onProblem;
    this.onProgress = onProgress;
    this.reader = reader;
    this.folder = folder;
  }

  async run(): Promise<Verified> {
    const { seen } = this;
    await this.list();
    // Listed before the chain is read: an object without an entry is foreign, since entries come first.
    const named = new Map<string, Expected>();
    const lost = new Set<string>();
    for await (const { entry, gap } of readChain(this.bucket, this.prefix)) {
      seen.entries++;
      for (const object of entry.objects) {
        named.set(object.key, { rowDigest: undefined, ...object });
        if (gap?.missing.includes(object.key)) lost.add(object.key);
      }
    }
    this.all = named.size + this.compactions.reduce((sum, { objects }) => sum + objects.length, 0);
    const held = await this.verifyCompacted(named);
    for (const object of named.values()) {
      if (await this.verifyObject(object, held.has(object.key), lost.has(object.key))) held.add(object.key);
    }
    for (const key of held) {
      const object = named.get(key);
      if (object !== undefined) seen[object.dataset] += object.rows;
    }
    for (const key of this.sizes.keys()) {
      if (!isPutUnderWay(key)) this.onProblem({ key, why: 'no entry of the chain and no manifest names it' });
    }
    return seen;
  }

  private async list(): Promise<void> {
    for (const dataset of ['spans', 'traces'] as const) {
      for (const folder of [compactedFolder(this.prefix, dataset), ...datasetFolders(this.prefix, dataset)]) {
        for await (const { key, bytes } of this.bucket.list(folder)) {
          if (parseManifestKey(this.prefix, key) === undefined) this.sizes.set(key, bytes);
          else await this.readManifest(key);
        }
      }
    }
  }

  private async readManifest(key: string): Promise<void> {
    const bytes = await this.bucket.get(key);
    if (bytes === undefined) return;
    try {
      this.compactions.push(decodeCompaction(bytes, key));
    } catch (error) {
      this.onProblem({ key, why: sentence(error) });
    }
  }

  /** @returns keys of sources whose rows are held by compacted objects. */
  private async verifyCompacted(named: ReadonlyMap<string, Expected>): Promise<Set<string>> {
    const held = new Set<string>();
    for (const { key, dataset, rows, rowDigest, sources } of this.compactions.flatMap(({ objects }) => objects)) {
      const double = sources.find((source) => held.has(source.key));
      if (double !== undefined) this.onProblem({ key, why: `it holds ${double.key} a second time` });
      const foreign = sources.find((source) => !named.has(source.key));
      if (foreign !== undefined) this.onProblem({ key, why: `it holds ${foreign.key}, which the chain does not name` });
      const says = sources.reduce((sum, source) => sum + (named.get(source.key)?.rows ?? source.rows), 0);
      if (rows !== says) this.onProblem({ key, why: `its manifest says ${rows} rows, the chain says ${says}` });
      const digest = sumOf(sources.map((source) => named.get(source.key)?.rowDigest));
      // One that is not there yet is no loss while its sources are: the next compaction makes it.
      const isWaiting = !this.sizes.has(key) && sources.every((source) => this.sizes.has(source.key));
      if (isWaiting) {
        this.progress();
        continue;
      }
      if (!(await this.verifyObject({ key, dataset, rows, rowDigest: digest ?? rowDigest }, false, false))) continue;
      this.seen.compacted++;
      for (const source of sources) held.add(source.key);
    }
    return held;
  }

  /** @returns whether it is there and whole. */
  private async verifyObject(object: Expected, isCompacted: boolean, isLost: boolean): Promise<boolean> {
    const { key } = object;
    const bytes = this.sizes.get(key) ?? (isCompacted ? undefined : (await this.bucket.head(key))?.bytes);
    this.sizes.delete(key);
    this.progress();
    if (bytes === undefined) {
      if (isLost) this.seen.lostObjects++;
      else if (!isCompacted) this.onProblem({ key, why: 'it should be there, but is not' });
      return false;
    }
    const body = await this.bucket.get(key);
    if (body === undefined) return false;
    this.seen.bytes += bytes;
    try {
      const found = await this.readAll(body, object);
      this.seen.objects++;
      if (found.rows !== object.rows) {
        this.onProblem({ key, why: `it holds ${found.rows} rows, the chain says ${object.rows}` });
      } else if (object.rowDigest !== undefined && found.rowDigest !== object.rowDigest) {
        this.onProblem({ key, why: 'it holds other rows than the chain says, though as many' });
      } else return true;
    } catch (cause) {
      const error = diskError(cause, `${this.folder} is full; free some, or set TMPDIR to another`);
      if (error instanceof SpanloomError) throw error;
      this.onProblem({ key, why: `it cannot be read: ${sentence(error)}` });
    }
    return false;
  }

  private async readAll(body: Uint8Array, { key, dataset }: Expected): Promise<{ rows: number; rowDigest: string }> {
    const file = path.join(this.folder, 'object.parquet');
    await writeFile(file, isOtlpKey(key) ? await parquetOfOtlp(body) : body);
    await this.reader.read([file], dataset);
    return this.reader.digest(file, dataset);
  }

  private progress(): void {
    this.onProgress(++this.done, this.all);
  }
}

/** @returns undefined when one of them is not known. */
function sumOf(digests: readonly (string | undefined)[]): string | undefined {
  const sum = new RowDigest();
  for (const digest of digests) {
    if (digest === undefined) return undefined;
    sum.addDigest(digest);
  }
  return sum.hex();
}

function sentence(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] as string;
}
