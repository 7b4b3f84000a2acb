import { needs } from './kafka.ts';
import { choice, durationMs, flag, integer, type Settings, secret, text } from './settings.ts';

/** How to reach the bucket; lib/s3 makes the client. */
export const s3Settings = {
  S3_BUCKET: text({
    required: true,
    pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    allowed: 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes',
    description: 'Bucket for the archive. It must exist. Everything is written below SPANLOOM_PREFIX.',
  }),
  S3_ENDPOINT: text({
    pattern: /^https?:\/\/[^\s/]+\/?$/,
    allowed: 'an http or https address without a path',
    description: 'Address of an S3-compatible server; without it, AWS for AWS_REGION.',
  }),
  AWS_REGION: text({ default: 'us-east-1', description: 'Region that requests are signed for.' }),
  AWS_ACCESS_KEY_ID: text({
    description: 'Access key. Without it the usual chain of the AWS SDK is used: profile, web identity, instance role.',
    check: needs('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'),
  }),
  AWS_SECRET_ACCESS_KEY: secret({
    description: 'Secret of the access key.',
    check: needs('AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID'),
  }),
  AWS_SESSION_TOKEN: secret({
    description: 'Session token that belongs to temporary keys.',
    check: needs('AWS_SESSION_TOKEN', 'AWS_ACCESS_KEY_ID'),
  }),
  S3_FORCE_PATH_STYLE: flag({
    defaultText: 'true with S3_ENDPOINT, else false',
    description: 'Puts the bucket in the path instead of the host name, as most S3-compatible servers need.',
  }),
  S3_CHECKSUMS: choice({
    values: ['when_supported', 'when_required'],
    default: 'when_supported',
    description: 'Sends a CRC32 with each upload. when_required is for servers that refuse it.',
  }),
  S3_SSE: choice({
    values: ['none', 'AES256', 'aws:kms'],
    default: 'none',
    description: "Server-side encryption to ask for; none leaves it to the bucket's own setting.",
  }),
  S3_SSE_KMS_KEY_ID: text({
    description: 'Key for aws:kms; without it the default key of the account.',
    check: (all) =>
      all['S3_SSE'] === 'aws:kms'
        ? undefined
        : 'S3_SSE_KMS_KEY_ID is set, but S3_SSE is not aws:kms; set both or neither.',
  }),
  S3_CONDITIONAL_PUT: choice({
    values: ['require', 'trust'],
    default: 'require',
    description:
      'require tries at start whether the bucket honours If-None-Match, on which the archive rests, and refuses one that does not. trust skips the test: two archivers on a bucket that ignores it can write rows twice.',
  }),
  S3_CONNECT_TIMEOUT_MS: durationMs({
    default: 3_000,
    min: 100,
    max: 60_000,
    description: 'Time for a connection to come up, TLS included.',
  }),
  S3_REQUEST_TIMEOUT_MS: durationMs({
    default: 30_000,
    min: 1_000,
    max: 600_000,
    description: 'Time for one attempt of one request; large objects over slow lines need more.',
  }),
  S3_ATTEMPTS_MAX: integer({
    default: 3,
    min: 1,
    max: 10,
    unit: 'attempts',
    description: 'How often the SDK tries a request before the failure is reported and the service backs off.',
  }),
} satisfies Settings;
