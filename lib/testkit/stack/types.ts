export const STACK_SERVICES = ['kafka', 'redis', 's3'] as const;

export type StackService = (typeof STACK_SERVICES)[number];

export interface S3Address {
  readonly endpoint: string;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

export interface StackAddresses {
  /** `host:port` each. */
  readonly kafka: readonly string[];
  /** `redis://host:port`, or `rediss://` as given. */
  readonly redis: string;
  readonly s3: S3Address;
}

/** A second listener of a native Kafka, with TLS and a login (PLAIN, SCRAM-SHA-256), for tests of both. */
export interface SecureListener {
  readonly port: number;
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly username: string;
  readonly password: string;
}

/** What a provider is asked to start. */
export interface StackPlan {
  readonly services: readonly StackService[];
  readonly bucket: string;
  readonly env: NodeJS.ProcessEnv;
  /** Absolute. Absent: temporary data, deleted on stop. */
  readonly dataDir?: string;
  /** Of native servers only. */
  readonly secureKafka?: SecureListener;
  progress(service: string, text: string): void;
}

/** A server that fault tests end and start again, on the same port and data. */
export interface RestartableServer {
  readonly pid: number;
  /** SIGTERM, and SIGKILL after `graceMs`; 0 kills at once. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
  /** Resolves when it is ready again. */
  startAgain(): Promise<void>;
}

export interface StartedServers {
  readonly addresses: Partial<StackAddresses>;
  readonly pids: Readonly<Record<string, number>>;
  /** Those that are processes of this machine. */
  readonly servers?: Readonly<Record<string, RestartableServer>>;
  stop(): Promise<void>;
}

export const BUCKET_DEFAULT = 'spanloom';

/** Keys of the servers that we start; they listen on the loopback interface only. */
export const S3_ACCESS_KEY_ID = 'spanloom';
export const S3_SECRET_ACCESS_KEY = 'spanloom-secret';
export const S3_REGION = 'us-east-1';
