import type { BundleBuilder, ContextPart } from '../../../lib/trace/otlp-bundle.ts';
import type { SpanTable } from '../../../lib/trace/span-table.ts';
import { WireWriter } from '../../../lib/trace/wire-writer.ts';
import { cutToFit } from './cut.ts';
import { inspect, VERDICT } from './inspect.ts';
import { KIND } from './message-kinds.ts';
import type { Redactor } from './redact.ts';
import type { RedactionRules } from './redaction-rules.ts';

/** Why spans of a resource or scope cannot be taken in. */
export type ContextProblem = 'invalid_wire' | 'nested_too_deep' | 'resource_too_large';

/** A resource, and a scope, may each be this large; more is cut like a span. */
export const CONTEXT_BYTES_MAX = 64 * 1024;
const SCHEMA_URL_BYTES_MAX = 2048;

/**
 * The resources and scopes of one poll: each is checked, redacted and cut once, however many records bring it.
 * Everything is forgotten with the poll, so what a producer can make us keep is bounded by what one fetch holds.
 */
export class Contexts {
  private readonly builder: BundleBuilder;
  private readonly resources: Parts;
  private readonly scopes: Parts;
  /** `resource × ID_SCALE + scope` → the bundle builder's context. */
  private readonly ids = new Map<number, number>();

  constructor(builder: BundleBuilder, rules: RedactionRules, redactor: Redactor) {
    this.builder = builder;
    this.resources = new Parts('resource', rules, redactor);
    this.scopes = new Parts('scope', rules, redactor);
  }

  /** The builder's context for a row of the table, or why there is none. */
  contextOf(bytes: Buffer, table: SpanTable, row: number): number | ContextProblem {
    const resource = this.resources.find(
      bytes,
      table.resourceStart[row]!,
      table.resourceEnd[row]!,
      table.resourceSchemaUrlStart[row]!,
      table.resourceSchemaUrlEnd[row]!,
    );
    const scope = this.scopes.find(
      bytes,
      table.scopeStart[row]!,
      table.scopeEnd[row]!,
      table.scopeSchemaUrlStart[row]!,
      table.scopeSchemaUrlEnd[row]!,
    );
    const pair = resource * ID_SCALE + scope;
    const known = this.ids.get(pair);
    if (known !== undefined) return known;
    const resourcePart = this.resources.part(resource);
    const scopePart = this.scopes.part(scope);
    if (typeof resourcePart === 'string') return resourcePart;
    if (typeof scopePart === 'string') return scopePart;
    const id = this.builder.context(resourcePart, scopePart);
    this.ids.set(pair, id);
    return id;
  }

  /** Resources and scopes cut since the last `clear`. */
  get truncated(): number {
    return this.resources.truncated + this.scopes.truncated;
  }

  clear(): void {
    this.ids.clear();
    this.resources.clear();
    this.scopes.clear();
  }
}

/** Resources (or scopes) as they came, and what became of them. */
class Parts {
  truncated = 0;
  private readonly kind: 'resource' | 'scope';
  private readonly rules: RedactionRules;
  private readonly redactor: Redactor;
  private readonly ids = new Map<string, number>();
  private readonly parts: (ContextPart | ContextProblem)[] = [];

  constructor(kind: 'resource' | 'scope', rules: RedactionRules, redactor: Redactor) {
    this.kind = kind;
    this.rules = rules;
    this.redactor = redactor;
  }

  /** Ranges may be absent: start is -1 then. */
  find(bytes: Buffer, start: number, end: number, urlStart: number, urlEnd: number): number {
    let key = start < 0 ? '' : bytes.toString('latin1', start, end);
    // U+0100 cannot occur in latin1 text, so a URL never reads as the end of a body.
    if (urlStart >= 0) key += `\u0100${bytes.toString('latin1', urlStart, urlEnd)}`;
    let id = this.ids.get(key);
    if (id === undefined) {
      const body = start < 0 ? EMPTY : bytes.subarray(start, end);
      const schemaUrl = urlStart < 0 ? EMPTY : bytes.subarray(urlStart, urlEnd);
      id = this.parts.push(this.prepare(body, schemaUrl)) - 1;
      this.ids.set(key, id);
    }
    return id;
  }

  part(id: number): ContextPart | ContextProblem {
    return this.parts[id]!;
  }

  clear(): void {
    this.truncated = 0;
    this.ids.clear();
    this.parts.length = 0;
  }

  private prepare(original: Buffer, schemaUrl: Buffer): ContextPart | ContextProblem {
    const kind = KIND[this.kind];
    let body = original;
    const verdict = inspect(kind, body, 0, body.length, this.rules);
    if (verdict === VERDICT.invalid) return 'invalid_wire';
    if (verdict === VERDICT.tooDeep) return 'nested_too_deep';
    if (verdict === VERDICT.edit) {
      const out = new WireWriter(body.length + 64);
      this.redactor.redact(kind, body, 0, body.length, out);
      body = out.toBuffer();
    }
    if (body.length > CONTEXT_BYTES_MAX) {
      const cut = cutToFit(this.kind, body, CONTEXT_BYTES_MAX);
      if (cut === undefined) return 'resource_too_large';
      this.truncated++;
      body = cut;
    }
    if (schemaUrl.length > SCHEMA_URL_BYTES_MAX) return 'resource_too_large';
    return { body, schemaUrl };
  }
}

const EMPTY = Buffer.alloc(0);
const ID_SCALE = 2 ** 24;
