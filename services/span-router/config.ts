import type { RedactionNames } from './core/redaction-rules.ts';

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
];

/** Query strings carry tokens and personal data as often as headers do. */
const QUERY_DROPPED = ['url.query'];
const QUERY_CUT = ['url.full', 'http.url', 'http.target'];

export const DEFAULT_REDACTION: RedactionNames = {
  drop: [...DROPPED_BY_DEFAULT, ...QUERY_DROPPED],
  hash: [],
  keep: [],
  cutQuery: QUERY_CUT,
};
