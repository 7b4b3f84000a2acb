import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/** Bodies above this go in parts, so that what fails half way is sent again in part only. */
export const MULTIPART_BYTES_MIN = 16 * 1024 * 1024;

/**
 * Puts an object in parts, unless there is one of that name. Nothing shows under the name before all parts are there;
 * an upload that fails is aborted, so that its parts cost nothing.
 *
 * @throws what the SDK throws; 412 when there is one.
 */
export async function putInParts(client: S3Client, input: PutObjectCommandInput, body: Uint8Array): Promise<void> {
  const { Body: _, ...target } = input;
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  const place = { Bucket: input.Bucket, Key: input.Key, UploadId };
  try {
    const count = Math.ceil(body.length / PART_BYTES);
    const etags: (string | undefined)[] = new Array(count);
    let next = 0;
    const work = async () => {
      for (let i = next++; i < count; i = next++) {
        const part = body.subarray(i * PART_BYTES, (i + 1) * PART_BYTES);
        const sent = await client.send(new UploadPartCommand({ ...place, PartNumber: i + 1, Body: part }));
        etags[i] = sent.ETag;
      }
    };
    await Promise.all(Array.from({ length: PARTS_AT_A_TIME }, work));
    const Parts = etags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }));
    await client.send(new CompleteMultipartUploadCommand({ ...place, MultipartUpload: { Parts }, IfNoneMatch: '*' }));
  } catch (error) {
    // What cannot be aborted now is by a lifecycle rule, or by `abortUploads`; the failure that counts is the first.
    await client.send(new AbortMultipartUploadCommand(place)).catch(() => {});
    throw error;
  }
}

/**
 * Aborts uploads in parts below a prefix that were begun before `beforeMs` and never finished: their process was killed.
 * @param beforeMs epoch milliseconds.
 * @returns how many there were.
 */
export async function abortUploads(
  client: S3Client,
  bucket: string,
  prefix: string,
  beforeMs: number,
): Promise<number> {
  let aborted = 0;
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...marker }));
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if ((Initiated?.getTime() ?? Number.POSITIVE_INFINITY) >= beforeMs) continue;
      await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
      aborted++;
    }
    if (page.IsTruncated !== true) return aborted;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

const PART_BYTES = 8 * 1024 * 1024;
const PARTS_AT_A_TIME = 4;
