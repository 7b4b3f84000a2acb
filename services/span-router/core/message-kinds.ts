/**
 * What the router knows of OTLP messages: which fields lead to attributes, and which hold text or bytes that may be cut.
 * Field numbers are those of opentelemetry-proto `trace/v1`, `resource/v1` and `common/v1`.
 */
export const KIND = {
  /** Not looked into. */
  opaque: 0,
  /** UTF-8 text that may be cut. */
  text: 1,
  /** Bytes that may be cut. */
  bytes: 2,
  keyValue: 3,
  anyValue: 4,
  arrayValue: 5,
  keyValueList: 6,
  span: 7,
  event: 8,
  link: 9,
  status: 10,
  resource: 11,
  scope: 12,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** Kinds from here on are messages. */
export const FIRST_MESSAGE_KIND = KIND.keyValue;

const FIELDS_MAX = 16;
const CHILD_KINDS = new Uint8Array(16 * FIELDS_MAX);

/** What a length-delimited field of a message holds. */
export function childKind(kind: number, field: number): number {
  return field < FIELDS_MAX ? (CHILD_KINDS[kind * FIELDS_MAX + field] as number) : KIND.opaque;
}

/** The tag under which a message carries attributes. */
export const ATTRIBUTES_TAG: Readonly<Record<'span' | 'resource' | 'scope', number>> = {
  span: 0x4a,
  resource: 0x0a,
  scope: 0x1a,
};

function define(kind: Kind, fields: Readonly<Record<number, Kind>>): void {
  for (const [field, child] of Object.entries(fields)) CHILD_KINDS[kind * FIELDS_MAX + Number(field)] = child;
}

define(KIND.keyValue, { 2: KIND.anyValue });
define(KIND.anyValue, { 1: KIND.text, 5: KIND.arrayValue, 6: KIND.keyValueList, 7: KIND.bytes });
define(KIND.arrayValue, { 1: KIND.anyValue });
define(KIND.keyValueList, { 1: KIND.keyValue });
define(KIND.span, { 5: KIND.text, 9: KIND.keyValue, 11: KIND.event, 13: KIND.link, 15: KIND.status });
define(KIND.event, { 2: KIND.text, 3: KIND.keyValue });
define(KIND.link, { 4: KIND.keyValue });
define(KIND.status, { 2: KIND.text });
define(KIND.resource, { 1: KIND.keyValue });
define(KIND.scope, { 3: KIND.keyValue });
