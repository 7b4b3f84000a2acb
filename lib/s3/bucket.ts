import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import type { s3Settings } from '../config/s3.ts';
import type { ValuesOf } from '../config/settings.ts';
import { isStatus, s3Error, statusOf } from './errors.ts';
import { abortUploads, MULTIPART_BYTES_MIN, putInParts } from './multipart.ts';

export type S3Values = ValuesOf<typeof s3Settings>;

/** The objects of one bucket. Every failure is a SpanloomError that says whether trying again can help. */
export interface Bucket {
  /**
   * Writes the object unless there is one of that name. After a time-out or a lost answer the SDK asks again, so
   * `exists` may mean an object that this very call made: compare the content where it matters who won.
   */
  putIfAbsent(key: string, body: Uint8Array, options?: PutOptions): Promise<'created' | 'exists'>;
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<void>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Bytes [start, end) of an object; fewer where it ends earlier. */
  getRange(key: string, start: number, end: number): Promise<Uint8Array | undefined>;
  head(key: string): Promise<{ bytes: number } | undefined>;
  /** Keys in the order of their bytes, all pages; `startAfter` leaves out what is not behind it. */
  list(prefix: string, startAfter?: string): AsyncIterable<{ key: string; bytes: number }>;
  delete(key: string): Promise<void>;
  /** Ends uploads in parts below `prefix` that were begun before `beforeMs` and left. @returns how many. */
  abortUploads(prefix: string, beforeMs: number): Promise<number>;
}

export interface PutOptions {
  readonly contentType?: string;
}

/**
 * Opening connects nothing: whether the bucket can be reached shows at the first request.
 * @param context.onClose is given the closing of the connections.
 */
export function openBucket(settings: S3Values, context: { onClose(close: () => unknown): void }): Bucket {
  const client = new S3Client(clientOptions(settings));
  context.onClose(() => client.destroy());
  return new SdkBucket(client, settings);
}

function clientOptions(settings: S3Values): S3ClientConfig {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = settings;
  const whenTo = settings.S3_CHECKSUMS === 'when_required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED';
  return {
    region: settings.AWS_REGION,
    forcePathStyle: settings.S3_FORCE_PATH_STYLE ?? settings.S3_ENDPOINT !== undefined,
    maxAttempts: settings.S3_ATTEMPTS_MAX,
    requestChecksumCalculation: whenTo,
    responseChecksumValidation: whenTo,
    requestHandler: {
      connectionTimeout: settings.S3_CONNECT_TIMEOUT_MS,
      requestTimeout: settings.S3_REQUEST_TIMEOUT_MS,
      // Without it the handler only warns, and a server that hangs would hold a range for ever.
      throwOnRequestTimeout: true,
    },
    ...(settings.S3_ENDPOINT === undefined ? {} : { endpoint: settings.S3_ENDPOINT }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId,
            secretAccessKey,
            ...(AWS_SESSION_TOKEN === undefined ? {} : { sessionToken: AWS_SESSION_TOKEN }),
          },
        }),
  };
}

class SdkBucket implements Bucket {
  private readonly client: S3Client;
  private readonly bucket: string;
  private readonly encryption: Partial<PutObjectCommandInput>;

  constructor(client: S3Client, settings: S3Values) {
    this.client = client;
    this.bucket = settings.S3_BUCKET;
    this.encryption = {
      ...(settings.S3_SSE === 'none' ? {} : { ServerSideEncryption: settings.S3_SSE }),
      ...(settings.S3_SSE_KMS_KEY_ID === undefined ? {} : { SSEKMSKeyId: settings.S3_SSE_KMS_KEY_ID }),
    };
  }

  async putIfAbsent(key: string, body: Uint8Array, options: PutOptions = {}): Promise<'created' | 'exists'> {
    for (let attempt = 1; ; attempt++) {
      try {
        const input = this.putInput(key, body, options);
        if (body.length > MULTIPART_BYTES_MIN) await putInParts(this.client, input, body);
        else await this.client.send(new PutObjectCommand({ ...input, IfNoneMatch: '*' }));
        return 'created';
      } catch (error) {
        if (isStatus(error, PRECONDITION_FAILED)) return 'exists';
        // Somebody else is writing the same name this moment: the answer is known a moment later.
        if (isStatus(error, CONFLICT) && attempt < CONFLICT_ATTEMPTS_MAX) continue;
        throw this.error('write', key, error);
      }
    }
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<void> {
    try {
      await this.client.send(new PutObjectCommand(this.putInput(key, body, options)));
    } catch (error) {
      throw this.error('write', key, error);
    }
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    try {
      const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      return await Body?.transformToByteArray();
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      throw this.error('read', key, error);
    }
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array | undefined> {
    try {
      const range = `bytes=${start}-${end - 1}`;
      const { Body } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key, Range: range }));
      return await Body?.transformToByteArray();
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      throw this.error('read', key, error);
    }
  }

  async head(key: string): Promise<{ bytes: number } | undefined> {
    try {
      const { ContentLength } = await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }));
      return { bytes: ContentLength ?? 0 };
    } catch (error) {
      // The answer to HEAD has no body, so a missing bucket cannot be told from a missing object; a later put tells.
      if (isStatus(error, NOT_FOUND)) return undefined;
      throw this.error('look at', key, error);
    }
  }

  async *list(prefix: string, startAfter?: string): AsyncIterable<{ key: string; bytes: number }> {
    let token: string | undefined;
    do {
      const page = await this.listPage(prefix, startAfter, token);
      for (const { Key, Size } of page.Contents ?? []) if (Key !== undefined) yield { key: Key, bytes: Size ?? 0 };
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async delete(key: string): Promise<void> {
    try {
      await this.client.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }));
    } catch (error) {
      throw this.error('delete', key, error);
    }
  }

  async abortUploads(prefix: string, beforeMs: number): Promise<number> {
    try {
      return await abortUploads(this.client, this.bucket, prefix, beforeMs);
    } catch (error) {
      throw this.error('abort uploads below', prefix, error);
    }
  }

  private async listPage(prefix: string, startAfter: string | undefined, token: string | undefined) {
    try {
      return await this.client.send(
        new ListObjectsV2Command({
          Bucket: this.bucket,
          Prefix: prefix,
          ...(startAfter === undefined ? {} : { StartAfter: startAfter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
    } catch (error) {
      throw this.error('list', prefix, error);
    }
  }

  private putInput(key: string, body: Uint8Array, { contentType }: PutOptions): PutObjectCommandInput {
    return {
      Bucket: this.bucket,
      Key: key,
      Body: body,
      ...(contentType === undefined ? {} : { ContentType: contentType }),
      ...this.encryption,
    };
  }

  private error(verb: string, key: string, cause: unknown) {
    return s3Error(`${verb} ${key} in bucket ${this.bucket}`, cause);
  }
}

function isMissingObject(error: unknown): boolean {
  return statusOf(error) === NOT_FOUND && (error as { name?: unknown }).name === 'NoSuchKey';
}

const NOT_FOUND = 404;
const CONFLICT = 409;
const PRECONDITION_FAILED = 412;
const CONFLICT_ATTEMPTS_MAX = 10;
