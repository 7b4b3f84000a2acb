import { commonSettings, redisSettings, s3Settings } from '../../lib/config/common.ts';
import {
  bytes,
  defineSettings,
  durationMs,
  integer,
  type SettingsOf,
  secret,
  text,
  textList,
} from '../../lib/config/settings.ts';
import { ownerSettings } from '../../lib/owners/owner-settings.ts';
import { isLoopback } from './core/http/guard.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export const settings = defineSettings({
  ...commonSettings,
  ...redisSettings,
  ...s3Settings,
  ...ownerSettings,
  S3_BUCKET: text({
    pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    allowed: 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and dashes',
    description: 'Bucket of the archive, for traces that are older than the hot store. Without it they are not found.',
  }),
  CONSOLE_HOST: text({
    default: '127.0.0.1',
    pattern: /^[A-Za-z0-9.:-]+$/,
    allowed: 'a host name or an address',
    description:
      'Address of the page and the API. Another one than loopback needs CONSOLE_TOKEN or CONSOLE_AUTH_HEADER, and CONSOLE_HOSTS.',
    check: (all) => {
      const host = String(all['CONSOLE_HOST']);
      if (isLoopback(host) || all['CONSOLE_TOKEN'] !== undefined || all['CONSOLE_AUTH_HEADER'] !== undefined) {
        return undefined;
      }
      return `CONSOLE_HOST ${host} is open to the network, and nobody would be asked for a login; set CONSOLE_TOKEN_FILE, or CONSOLE_AUTH_HEADER behind a proxy that logs people in.`;
    },
  }),
  CONSOLE_PORT: integer({
    default: 16_686,
    min: 0,
    max: 65_535,
    description: 'Port of the page and the API; 0 takes a free one.',
  }),
  CONSOLE_HOSTS: textList({
    default: [],
    pattern: /^[A-Za-z0-9.:-]+$/,
    items: 'host names without port',
    description:
      'Names besides loopback that the console is reached by. Requests for other hosts, or from pages of others, are refused.',
  }),
  CONSOLE_TOKEN: secret({
    pattern: /^\S{16,4096}$/,
    allowed: '16 to 4096 characters without spaces',
    description: 'Whoever asks must know it: as `Authorization: Bearer …`, or typed into the page.',
  }),
  CONSOLE_AUTH_HEADER: text({
    pattern: /^[A-Za-z0-9-]{1,100}$/,
    allowed: 'the name of a header',
    description:
      'Header in which a proxy says who asks, e.g. X-Forwarded-User. The proxy must remove it from what comes in, and only the proxy may reach the console.',
  }),
  CONSOLE_DATA_DIR: text({
    default: '.data/console',
    description: 'Folder of the stores. What people wrote is only there; the rest is filled again from Kafka.',
  }),
  CONSOLE_PAGE_DIR: text({
    defaultText: 'the page that comes with Spanloom',
    description: 'Folder with another build of the page.',
  }),
  CONSOLE_RETENTION_MS: durationMs({
    default: DAY_MS,
    min: 60_000,
    max: 30 * DAY_MS,
    description: 'How long traces stay in the hot store; older ones come from the archive.',
  }),
  CONSOLE_HOT_BYTES_MAX: bytes({
    default: 2 * 1024 ** 3,
    min: 16 * 1024 ** 2,
    max: 1024 ** 4,
    description:
      'Most bytes of traces in the hot store; beyond them the oldest go. About 700 bytes a trace of 5 spans.',
  }),
  CONSOLE_GRAPH_RETENTION_MS: durationMs({
    default: 14 * DAY_MS,
    min: HOUR_MS,
    max: 400 * DAY_MS,
    description:
      'How long counts of the graph are kept. Windows of 10 s stay for 6 hours of it, of a minute for 2 days.',
  }),
  CONSOLE_SUBJECTS_MAX: integer({
    default: 50_000,
    min: 100,
    max: 1_000_000,
    unit: 'subjects',
    description: 'Edges, services and operations in the graph; further ones are counted as dropped.',
  }),
  CONSOLE_ARCHIVE_LOOKBACK_MS: durationMs({
    default: 7 * DAY_MS,
    min: HOUR_MS,
    max: 400 * DAY_MS,
    description: 'How far back the archive is looked through for a trace id. Every hour costs a few requests.',
  }),
  CONSOLE_ARCHIVE_SEARCH_MS_MAX: durationMs({
    default: 6 * HOUR_MS,
    min: HOUR_MS,
    max: 30 * DAY_MS,
    description: 'The longest range that one search reads of the archive, whose objects are copied for it.',
  }),
  CONSOLE_CACHE_BYTES_MAX: bytes({
    default: 1024 ** 3,
    min: 16 * 1024 ** 2,
    max: 1024 ** 4,
    description: 'Most bytes of copies of archive objects, below CONSOLE_DATA_DIR.',
  }),
  CONSOLE_SOURCE_TIMEOUT_MS: durationMs({
    default: 5_000,
    min: 100,
    max: 60_000,
    description: 'A source that has not answered by then is left out of the answer, which says so.',
  }),
  FETCH_BYTES_MAX: bytes({
    default: 1024 * 1024,
    min: 64 * 1024,
    max: 16 * 1024 * 1024,
    description: 'Most bytes asked for in one fetch of one partition, as compressed on the broker.',
  }),
});

export type ConsoleSettings = SettingsOf<typeof settings>;
