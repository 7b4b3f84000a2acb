import type { Severity } from '../../../lib/codec/incident-records.ts';

export const SINK_KINDS = ['alertmanager', 'webhook', 'slack'] as const;
export type SinkKind = (typeof SINK_KINDS)[number];

/** Least severe first. */
export const SEVERITIES: readonly Severity[] = ['warning', 'minor', 'major', 'critical'];

/** A receiver of incidents, as an operator declares it. */
export interface Sink {
  /** Part of the consumer group's name and of metrics. */
  readonly name: string;
  readonly kind: SinkKind;
  /** Of an Alertmanager its address, without the path of the API. */
  readonly url: URL;
  /** Only of a webhook: the key that signs. */
  readonly secret: string;
  /** Value of an `authorization` header; empty for none. */
  readonly authorization: string;
  /** Less severe incidents are not sent there. */
  readonly severity: Severity;
}

/** @param declared a list of objects, as read from YAML or JSON. @returns the sinks, or a sentence for each mistake. */
export function readSinks(declared: unknown): { sinks: Sink[]; mistakes: string[] } {
  if (!Array.isArray(declared)) return { sinks: [], mistakes: ['it must be a list of sinks'] };
  const sinks: Sink[] = [];
  const mistakes: string[] = [];
  for (const [i, item] of declared.entries()) {
    const fields: Fields = typeof item === 'object' && item !== null ? (item as Fields) : {};
    const name = typeof fields['name'] === 'string' ? fields['name'] : '';
    const found = mistakesOf(fields);
    if (sinks.some((other) => other.name === name)) found.push('another sink has that name');
    mistakes.push(...found.map((what) => `sink ${name === '' ? `number ${i + 1}` : name}: ${what}`));
    if (found.length === 0) sinks.push(sinkOf(fields, name));
  }
  if (sinks.length === 0 && mistakes.length === 0) mistakes.push('it has no sink');
  return { sinks, mistakes };
}

type Fields = Readonly<Record<string, unknown>>;

const KNOWN = ['name', 'kind', 'url', 'secret', 'authorization', 'severity'];
const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
/** Standard Webhooks asks for 24 to 64 bytes; shorter keys are guessed too easily. */
const SECRET_CHARACTERS_MIN = 24;

function mistakesOf(fields: Fields): string[] {
  const mistakes: string[] = [];
  const { name, kind, url, secret, authorization, severity } = fields;
  const unknown = Object.keys(fields).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) mistakes.push(`it does not take ${unknown.join(', ')}`);
  if (typeof name !== 'string' || !NAME.test(name)) mistakes.push('name must be 1 to 40 of a-z, 0-9 and dashes');
  if (!SINK_KINDS.some((known) => known === kind)) mistakes.push(`kind must be one of ${SINK_KINDS.join(', ')}`);
  if (!isUrl(url)) mistakes.push('url must be an http or https address without user and password');
  if (kind === 'webhook' ? typeof secret !== 'string' || secret.length < SECRET_CHARACTERS_MIN : secret !== undefined) {
    mistakes.push(
      kind === 'webhook'
        ? `secret must have at least ${SECRET_CHARACTERS_MIN} characters`
        : 'only a webhook has a secret',
    );
  }
  if (authorization !== undefined && (typeof authorization !== 'string' || /[\r\n]/.test(authorization))) {
    mistakes.push('authorization must be the value of a header');
  }
  if (severity !== undefined && !SEVERITIES.some((known) => known === severity)) {
    mistakes.push(`severity must be one of ${SEVERITIES.join(', ')}`);
  }
  return mistakes;
}

function isUrl(text: unknown): boolean {
  if (typeof text !== 'string' || !URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
}

function sinkOf(fields: Fields, name: string): Sink {
  return {
    name,
    kind: fields['kind'] as SinkKind,
    url: new URL(fields['url'] as string),
    secret: (fields['secret'] as string | undefined) ?? '',
    authorization: (fields['authorization'] as string | undefined) ?? '',
    severity: (fields['severity'] as Severity | undefined) ?? 'warning',
  };
}
