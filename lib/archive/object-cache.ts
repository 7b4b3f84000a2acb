import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { SpanloomError } from '../errors/spanloom-error.ts';
import type { Bucket } from '../s3/bucket.ts';
import { diskError } from './disk-error.ts';
import type { OnProblem } from './list-objects.ts';
import { type ArchiveObject, isOtlpKey } from './object-keys.ts';
import { parquetOfOtlp } from './otlp-read.ts';
import { isDefaultList, PROMOTED_DEFAULT, type PromotedList } from './promoted-setting.ts';

/**
 * Copies of objects in a local folder, so that the next question about the same hours reads nothing from the bucket; of
 * OTLP as Parquet.
 * Objects never change, so a copy is never stale. The least recently used go first when the folder is full.
 */
export class ObjectCache {
  readonly folder: string;
  private readonly bucket: Bucket;
  private readonly bytesMax: number;
  private readonly promoted: PromotedList;

  /**
   * @param folder of this bucket alone: objects are told apart by their keys.
   * @param bytesMax of all copies together.
   * @param promoted attributes that have columns in what is archived as OTLP.
   */
  constructor(bucket: Bucket, folder: string, bytesMax: number, promoted: PromotedList = PROMOTED_DEFAULT) {
    this.promoted = promoted;
    this.bucket = bucket;
    this.folder = folder;
    this.bytesMax = bytesMax;
  }

  /**
   * Local files of the objects, in order; undefined for one that cannot be had, which is told to `onProblem`.
   * @throws SpanloomError ARCHIVE_CACHE_TOO_SMALL when they do not fit together, ARCHIVE_DISK_FULL when the disk is full.
   */
  async files(
    objects: readonly ArchiveObject[],
    onProblem: OnProblem,
    onFetched?: (bytes: number) => void,
  ): Promise<(string | undefined)[]> {
    const total = objects.reduce((sum, { bytes }) => sum + bytes, 0);
    if (total > this.bytesMax) {
      throw new SpanloomError(
        'ARCHIVE_CACHE_TOO_SMALL',
        `The asked hours hold ${total} bytes in ${objects.length} objects, the cache takes ${this.bytesMax}; ask for fewer hours or raise --cache-bytes`,
      );
    }
    await mkdir(this.folder, { recursive: true });
    await this.evict(objects, total);
    const files: (string | undefined)[] = new Array(objects.length).fill(undefined);
    let next = 0;
    let failure: { readonly error: unknown } | undefined;
    const work = async () => {
      for (let i = next++; i < objects.length && failure === undefined; i = next++) {
        try {
          files[i] = await this.file(objects[i] as ArchiveObject, onProblem, onFetched);
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    // All of them end before the failure is told: who exits then leaves no half copies.
    await Promise.all(Array.from({ length: FETCHES_AT_A_TIME }, work));
    if (failure !== undefined) throw failure.error;
    return files;
  }

  private async file(
    object: ArchiveObject,
    onProblem: OnProblem,
    onFetched?: (bytes: number) => void,
  ): Promise<string | undefined> {
    const { key } = object;
    const file = path.join(this.folder, this.fileName(object));
    const held = await stat(file).catch(() => undefined);
    if (held !== undefined && (held.size === object.bytes || isOtlpKey(key))) {
      const now = new Date();
      await utimes(file, now, now);
      return file;
    }
    let bytes = await this.bucket.get(key);
    if (bytes === undefined) {
      onProblem({ key, why: 'it was listed but is not there' });
      return undefined;
    }
    onFetched?.(bytes.length);
    try {
      if (isOtlpKey(key)) bytes = await parquetOfOtlp(bytes, this.promoted);
    } catch (error) {
      onProblem({ key, why: `it cannot be read: ${error instanceof Error ? error.message : error}` });
      return undefined;
    }
    // Renamed when whole: a reader killed half way leaves no half copy under the name.
    const partial = `${file}.${randomBytes(6).toString('hex')}.part`;
    try {
      await writeFile(partial, bytes);
      await rename(partial, file);
    } catch (error) {
      await rm(partial, { force: true });
      throw diskError(error, `${this.folder} is full; free some of it, or name another with --cache-folder`);
    }
    return file;
  }

  /** Makes room for `wanted`. */
  private async evict(wanted: readonly ArchiveObject[], wantedBytes: number): Promise<void> {
    const kept = new Set(wanted.map((object) => this.fileName(object)));
    const others: { file: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.folder)) {
      if (kept.has(name)) continue;
      const file = path.join(this.folder, name);
      const found = await stat(file).catch(() => undefined);
      if (found?.isFile()) others.push({ file, bytes: found.size, usedMs: found.mtimeMs });
    }
    others.sort((a, b) => a.usedMs - b.usedMs);
    let bytes = others.reduce((sum, other) => sum + other.bytes, wantedBytes);
    for (const other of others) {
      if (bytes <= this.bytesMax) return;
      await rm(other.file, { force: true });
      bytes -= other.bytes;
    }
  }

  private fileName({ key }: ArchiveObject): string {
    const name = key.replaceAll('/', '~');
    if (!isOtlpKey(key) || isDefaultList(this.promoted)) return name;
    // With other columns it is another file.
    return `${name}~${createHash('sha256').update(this.promoted.join()).digest('hex').slice(0, 12)}`;
  }
}

const FETCHES_AT_A_TIME = 8;
