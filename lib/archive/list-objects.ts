import type { Bucket } from '../s3/bucket.ts';
import {
  type ArchiveObject,
  type Dataset,
  datasetFolder,
  HOUR_MS,
  hourFolder,
  hourOf,
  isPutUnderWay,
  parseObjectKey,
  type TimeRange,
} from './object-keys.ts';

/**
 * Objects of the hours that the range touches, oldest hour first: a request for every 1000 objects.
 * @param onProblem is told of each object that no archiver wrote.
 */
export async function listObjects(
  bucket: Bucket,
  prefix: string,
  dataset: Dataset,
  { sinceMs, untilMs }: TimeRange,
  onProblem: OnProblem,
): Promise<ArchiveObject[]> {
  const found: ArchiveObject[] = [];
  const behind = hourFolder(prefix, dataset, hourOf(untilMs - 1) + HOUR_MS);
  const startAfter = hourFolder(prefix, dataset, hourOf(sinceMs));
  for await (const { key, bytes } of bucket.list(datasetFolder(prefix, dataset), startAfter)) {
    if (key >= behind) break;
    const object = parseObjectKey(prefix, dataset, key, bytes);
    if (object !== undefined) found.push(object);
    else if (!isPutUnderWay(key)) onProblem({ key, why: 'its name is none that an archiver gives' });
  }
  return found;
}

/** An object that a reader leaves out, and why. */
export interface ObjectProblem {
  readonly key: string;
  readonly why: string;
}

export type OnProblem = (problem: ObjectProblem) => void;
