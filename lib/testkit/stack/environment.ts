import { SpanloomError } from '../../errors/spanloom-error.ts';
import { S3_REGION, type S3Address, type StackAddresses } from './types.ts';

/** The addresses as the settings that every service and test reads. */
export function stackEnvironment(addresses: StackAddresses): Record<string, string> {
  return {
    KAFKA_BROKERS: addresses.kafka.join(','),
    REDIS_URL: addresses.redis,
    S3_ENDPOINT: addresses.s3.endpoint,
    S3_BUCKET: addresses.s3.bucket,
    AWS_ACCESS_KEY_ID: addresses.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: addresses.s3.secretAccessKey,
    AWS_REGION: addresses.s3.region,
  };
}

export function kafkaFromEnvironment(env: NodeJS.ProcessEnv): string[] {
  const brokers = (env['KAFKA_BROKERS'] ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter(Boolean);
  const wrong = brokers.find((broker) => !/^\[?[^\s/[\]]+\]?:\d{1,5}$/.test(broker));
  if (wrong !== undefined || brokers.length === 0) {
    throw invalid('KAFKA_BROKERS', wrong ?? '', 'HOST:PORT, or several with commas between them');
  }
  return brokers;
}

export function redisFromEnvironment(env: NodeJS.ProcessEnv): string {
  const url = env['REDIS_URL'] ?? '';
  if (!/^rediss?:\/\/./.test(url)) throw invalid('REDIS_URL', url, 'redis://HOST:PORT or rediss://HOST:PORT');
  return url;
}

export function s3FromEnvironment(env: NodeJS.ProcessEnv, bucket: string): S3Address {
  const endpoint = env['S3_ENDPOINT'] ?? '';
  if (!/^https?:\/\/./.test(endpoint)) throw invalid('S3_ENDPOINT', endpoint, 'http://HOST:PORT or https://HOST');
  return {
    endpoint,
    bucket,
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
    region: env['AWS_REGION'] || S3_REGION,
  };
}

function invalid(name: string, value: string, form: string): SpanloomError {
  return new SpanloomError('STACK_SETTING_INVALID', `${name} is '${value}'; it must have the form ${form}.`);
}
