import type { OtlpJson, OtlpJsonValue } from '../../../lib/codec/otlp-to-json.ts';

/** An AnyValue of OTLP/JSON as what JSON itself has: bytes are base64, integers beyond 2^53 are decimal text. */
export function plainValue(value: OtlpJson | undefined): unknown {
  const [[kind, inner] = []] = Object.entries(value ?? {});
  switch (kind) {
    case 'intValue': {
      const number = Number(inner);
      return Number.isSafeInteger(number) ? number : inner;
    }
    case 'arrayValue':
      return listOf(inner, 'values').map((item) => plainValue(item));
    case 'kvlistValue':
      return plainAttributes(listOf(inner, 'values'));
    default:
      return inner ?? null;
  }
}

/** An AnyValue as text: what is not text, number or boolean is JSON. */
export function textOfValue(value: OtlpJson | undefined): string {
  const plain = plainValue(value);
  return typeof plain === 'object' && plain !== null ? JSON.stringify(plain) : String(plain ?? '');
}

/** KeyValues by key; the last one of a key counts. */
export function plainAttributes(attributes: readonly OtlpJson[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [String(key ?? ''), plainValue(value as OtlpJson)]));
}

/** A repeated message field of OTLP/JSON; empty when it is not there. */
export function listOf(message: OtlpJsonValue | undefined, field: string): readonly OtlpJson[] {
  const list = (message as OtlpJson | undefined)?.[field];
  return Array.isArray(list) ? (list as OtlpJson[]) : [];
}
