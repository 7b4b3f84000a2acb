import { parse } from 'yaml';
import { commonSettings } from '../../lib/config/common.ts';
import {
  bytes,
  choice,
  defineSettings,
  durationMs,
  type SettingsOf,
  secret,
  text,
  textList,
} from '../../lib/config/settings.ts';
import { describeError } from '../../lib/errors/spanloom-error.ts';
import { ENCODINGS } from './core/decode.ts';
import { readPatterns } from './core/read-patterns.ts';
import { REDACTION_NAME, type RedactionNames } from './core/redaction-rules.ts';
import { type ValuePattern, ValuePatterns } from './core/value-patterns.ts';
import { INGEST_TOPIC } from './ingest-topics.ts';

/** Names that are dropped unless REDACT_DROP says otherwise; `-` and `_` are the same, and case does not matter. */
const DROPPED_BY_DEFAULT = [
  '*.authorization',
  '*.proxy-authorization',
  '*.cookie',
  '*.set-cookie',
  '*.password',
  '*.passwd',
  '*.secret',
  '*.api_key',
  '*.apikey',
  '*.x-api-key',
  '*.access_token',
  '*.refresh_token',
  // Query strings carry tokens and personal data as often as headers do.
  'url.query',
];

const QUERY_CUT = ['url.full', 'http.url', 'http.target'];

export const DEFAULT_REDACTION: RedactionNames = {
  drop: DROPPED_BY_DEFAULT,
  hash: [],
  mask: [],
  keep: [],
  cutQuery: QUERY_CUT,
};

const NAMES = 'attribute names, each `name` or `*.ending`';

function redactionNames(description: string, fallback: readonly string[]) {
  return textList({ default: fallback, pattern: REDACTION_NAME, items: NAMES, description });
}

export const settings = defineSettings(
  {
    ...commonSettings,
    INGEST_TOPICS: textList({
      default: ['otlp_spans', 'jaeger-spans', 'zipkin'],
      pattern: INGEST_TOPIC,
      items: 'topic names or /regular expressions/ over whole names, each with =encoding behind it or without',
      description:
        'Topics that producers write spans to, e.g. otlp_spans,zipkin=zipkin_json,/.*-jaeger/=jaeger_proto. Topics and partitions that appear later are taken in within a minute, from their first record on.',
    }),
    INGEST_ENCODING: choice({
      values: ENCODINGS,
      default: 'auto',
      description:
        'How the records of topics are encoded that INGEST_TOPICS names no encoding for; auto tells it by the first bytes of each.',
    }),
    SPAN_BYTES_MAX: bytes({
      default: 256 * 1024,
      min: 4 * 1024,
      max: 512 * 1024,
      description:
        'A larger span has its largest attributes cut, and is marked, until it fits; if it never fits it is a dead letter.',
    }),
    REDACT_DROP: redactionNames(
      'Attributes whose value is taken out of spans, resources, scopes, events and links. Case does not matter, and - equals _.',
      DEFAULT_REDACTION.drop,
    ),
    REDACT_HASH: redactionNames(
      'Attributes whose value is replaced by a keyed hash (HMAC-SHA-256 with REDACT_HASH_KEY): still equal where it was equal.',
      DEFAULT_REDACTION.hash,
    ),
    REDACT_MASK: redactionNames('Attributes whose value is replaced by three stars.', DEFAULT_REDACTION.mask),
    REDACT_HASH_KEY: secret({
      description: 'Key for REDACT_HASH and for patterns that hash. Changing it changes every hash.',
    }),
    REDACT_PATTERNS: text({
      description:
        'What must not be kept wherever it stands: a list in YAML or JSON of `name`, `pattern` (RE2 syntax) and `action` (mask, hash: each match; drop: the whole text). Looked for in all text of attributes (also nested), in names of spans and events and in status messages. Usually given as REDACT_PATTERNS_FILE.',
      check: ({ REDACT_PATTERNS: declared }) => {
        const { mistakes } = declaredPatterns(String(declared));
        return mistakes.length === 0 ? undefined : `REDACT_PATTERNS: ${mistakes.join('; ')}.`;
      },
    }),
    REDACT_KEEP: redactionNames('Attributes that stay although an ending of the other lists covers them.', []),
    REDACT_CUT_QUERY: redactionNames(
      'Attributes that hold a URL, which loses its query string.',
      DEFAULT_REDACTION.cutQuery,
    ),
    DEAD_LETTER_PAYLOAD: choice({
      values: ['none', 'full'],
      default: 'none',
      description:
        'full puts the refused bytes into the dead letter. They may hold what redaction takes out of spans; the source record can be read again without them.',
    }),
    COMMIT_INTERVAL_MS: durationMs({
      default: 500,
      min: 10,
      max: 5_000,
      description:
        'Longest time between two transactions while only the position has moved; spans are committed at once.',
    }),
    FETCH_BYTES_MAX: bytes({
      default: 1024 * 1024,
      min: 64 * 1024,
      max: 16 * 1024 * 1024,
      description:
        'Most bytes asked for in one fetch of one partition, as compressed on the broker. A single larger batch is still read.',
    }),
  },
  {
    checks: [
      (s) =>
        s.REDACT_HASH.length > 0 && s.REDACT_HASH_KEY === undefined
          ? 'REDACT_HASH names attributes, but REDACT_HASH_KEY is not set; hashes without a key can be guessed.'
          : undefined,
      (s) =>
        declaredPatterns(s.REDACT_PATTERNS ?? '[]').patterns.some(({ action }) => action === 'hash') &&
        s.REDACT_HASH_KEY === undefined
          ? 'REDACT_PATTERNS hashes, but REDACT_HASH_KEY is not set; hashes without a key can be guessed.'
          : undefined,
    ],
  },
);

export type RouterSettings = SettingsOf<typeof settings>;

/** The lists of names as the core takes them. */
export function redactionOf(values: RouterSettings): RedactionNames {
  return {
    drop: values.REDACT_DROP,
    hash: values.REDACT_HASH,
    mask: values.REDACT_MASK,
    keep: values.REDACT_KEEP,
    cutQuery: values.REDACT_CUT_QUERY,
  };
}

/** Undefined when there are none. */
export function patternsOf(values: RouterSettings): ValuePatterns | undefined {
  const { patterns } = declaredPatterns(values.REDACT_PATTERNS ?? '[]');
  return patterns.length === 0 ? undefined : new ValuePatterns(patterns);
}

function declaredPatterns(declared: string): { patterns: ValuePattern[]; mistakes: string[] } {
  try {
    return readPatterns(parse(declared));
  } catch (error) {
    return { patterns: [], mistakes: [`it is no YAML (${describeError(error).split('\n')[0]})`] };
  }
}
