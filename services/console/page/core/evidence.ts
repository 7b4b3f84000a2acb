import type { Cause, Culprit } from './api-types.ts';
import { count, percent } from './format.ts';

/** Why a culprit is one, by the class that the alerter gave it: a sentence for someone who has not read its code. */
const CLASS_WORDS: Readonly<Record<string, string>> = {
  server_self: 'its own spans fail, and nothing that it calls fails below them',
  client_no_server: 'calls to it fail, and it sends no spans of its own that could say why',
  timeout_latency: 'its callers gave up waiting while it was still at work',
  edge: 'it answered in time and well, and its caller saw an error nevertheless: the way between them is suspect',
  gateway: 'a gateway answered for it with 502, 503 or 504',
  walk: 'no failing trace was at hand, so the failing edges were followed down to it',
};

export function whyOf(cause: Cause): string {
  return CLASS_WORDS[cause.class] ?? cause.class;
}

/** The figures behind it, as sentences. */
export function evidenceOf({ cause, erroredTraces, expectedTraces, masked }: Culprit): string[] {
  const usual = expectedTraces < 0.5 ? 'as good as none' : count(expectedTraces);
  return [
    `Errors of ${count(erroredTraces)} failing traces begin there (${percent(cause.share)} of all in scope); usual in this time: ${usual}.`,
    ...(masked > 0 ? [`${count(masked)} of them were hidden from the user by a retry or fallback.`] : []),
    ...(cause.operation === '' ? [] : [`At least 80 % of them in ${cause.operation}.`]),
    ...(cause.version === '' ? [] : [`All of it in version ${cause.version}.`]),
  ];
}
