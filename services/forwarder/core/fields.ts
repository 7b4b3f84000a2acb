/** What is wrong at one place of a declaration. */
export interface Mistake {
  /** e.g. `['destinations', 0, 'url']`. */
  readonly path: readonly (string | number)[];
  /** Completes "<path> …", e.g. `must be a whole number from 1 to 9`. */
  readonly what: string;
}

/**
 * Reads an object that was parsed from YAML or JSON field by field, and gathers mistakes instead of throwing, so that one
 * round shows them all. A field that is wrong reads as its default, or as an empty value.
 */
export class Fields {
  readonly path: Mistake['path'];
  private readonly object: Readonly<Record<string, unknown>>;
  private readonly mistakes: Mistake[];
  private readonly asked = new Set<string>();

  constructor(declared: unknown, path: Mistake['path'], mistakes: Mistake[]) {
    this.path = path;
    this.mistakes = mistakes;
    this.object = isObject(declared) ? declared : {};
    if (!isObject(declared)) mistakes.push({ path, what: 'must be an object with named fields' });
  }

  /** Reports the fields that nobody asked for. Call it last. */
  refuseOthers(): void {
    const known = [...this.asked].sort().join(', ');
    for (const name of Object.keys(this.object)) {
      if (!this.asked.has(name)) this.mistake(name, `is not known here; there are ${known}`);
    }
  }

  mistake(name: string, what: string): void {
    this.mistakes.push({ path: [...this.path, name], what });
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined;
  }

  raw(name: string): unknown {
    this.asked.add(name);
    const value = Object.hasOwn(this.object, name) ? this.object[name] : undefined;
    return value === null ? undefined : value;
  }

  /** @param allowed completes "must be …". Without a fallback the field is required. */
  text(name: string, spec: { pattern: RegExp; allowed: string; fallback?: string }): string {
    const value = this.raw(name);
    if (value === undefined) {
      if (spec.fallback === undefined) this.mistake(name, `is missing; it must be ${spec.allowed}`);
      return spec.fallback ?? '';
    }
    const text = typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
    if (text !== undefined && spec.pattern.test(text)) return text;
    this.mistake(name, `must be ${spec.allowed}`);
    return spec.fallback ?? '';
  }

  optionalText(name: string, spec: { pattern: RegExp; allowed: string }): string | undefined {
    return this.has(name) ? this.text(name, spec) : undefined;
  }

  choice<const V extends string>(name: string, values: readonly V[], fallback?: V): V {
    const value = this.raw(name) ?? fallback;
    const found = values.find((known) => known === value);
    if (found !== undefined) return found;
    this.mistake(name, `must be one of ${values.join(', ')}`);
    return values[0] as V;
  }

  integer(name: string, spec: { min: number; max: number; fallback: number }): number {
    return this.numeric(name, spec, Number.isSafeInteger, 'a whole number');
  }

  number(name: string, spec: { min: number; max: number; fallback: number }): number {
    return this.numeric(name, spec, Number.isFinite, 'a number');
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.raw(name) ?? fallback;
    if (typeof value === 'boolean') return value;
    this.mistake(name, 'must be true or false');
    return fallback;
  }

  list(name: string): readonly unknown[] {
    const value = this.raw(name) ?? [];
    if (Array.isArray(value)) return value;
    this.mistake(name, 'must be a list');
    return [];
  }

  /** The fields of an object inside this one; an empty object when there is none. */
  inner(name: string): Fields {
    return new Fields(this.raw(name) ?? {}, [...this.path, name], this.mistakes);
  }

  /** The fields of an object in a list. */
  item(name: string, index: number): Fields {
    return new Fields(this.list(name)[index], [...this.path, name, index], this.mistakes);
  }

  entries(): readonly (readonly [string, unknown])[] {
    for (const name of Object.keys(this.object)) this.asked.add(name);
    return Object.entries(this.object);
  }

  private numeric(
    name: string,
    { min, max, fallback }: { min: number; max: number; fallback: number },
    isOfKind: (value: number) => boolean,
    kind: string,
  ): number {
    const value = this.raw(name) ?? fallback;
    if (typeof value === 'number' && isOfKind(value) && value >= min && value <= max) return value;
    this.mistake(name, `must be ${kind} from ${min} to ${max}`);
    return fallback;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
