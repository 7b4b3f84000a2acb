/** How a query parameter is read. */
export interface Param<T> {
  /** Completes "it must be …". */
  readonly allowed: string;
  readonly repeated: boolean;
  readonly fallback: T | undefined;
  /** undefined: the text is not what `allowed` says. */
  parse(text: string): unknown;
}

export type Params = Readonly<Record<string, Param<unknown>>>;
export type ValuesOf<P extends Params> = { readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never };

/** What is wrong with a request: the answer names the field. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 405 | 413 | 415 | 503;
  readonly code: string;
  readonly field?: string;
  readonly message: string;
}

export type Read<T> = { readonly ok: true; readonly values: T } | { readonly ok: false; readonly refusal: Refusal };

/** @param strict refuses parameters that are not declared; other clients' APIs pass over them. */
export function readParams<P extends Params>(params: P, query: URLSearchParams, strict: boolean): Read<ValuesOf<P>> {
  if (strict) {
    for (const name of query.keys()) {
      if (!Object.hasOwn(params, name)) {
        const known = Object.keys(params).join(', ');
        return refuse(name, `There is no parameter ${quote(name)}; there are: ${known === '' ? 'none' : known}.`);
      }
    }
  }
  const values: Record<string, unknown> = {};
  for (const [name, param] of Object.entries(params)) {
    const texts = query.getAll(name).filter((text) => strict || text !== '');
    if (texts.length === 0) {
      values[name] = param.repeated ? [] : param.fallback;
      continue;
    }
    if (texts.length > (param.repeated ? REPEATED_MAX : 1)) {
      return refuse(name, `${name} is given ${texts.length} times, at most ${param.repeated ? REPEATED_MAX : 1} is.`);
    }
    const parsed = texts.map((text) => param.parse(text));
    const wrong = parsed.indexOf(undefined);
    if (wrong >= 0) return refuse(name, `${name} must be ${param.allowed}, not ${quote(texts[wrong] as string)}.`);
    values[name] = param.repeated ? parsed : parsed[0];
  }
  return { ok: true, values: values as ValuesOf<P> };
}

export function text(lengthMax: number): Param<string | undefined> {
  const allowed = `text of 1 to ${lengthMax} characters`;
  return param(allowed, (value) => (value.length > 0 && value.length <= lengthMax ? value : undefined));
}

/** May be empty. */
export function anyText(lengthMax: number): Param<string | undefined> {
  return param(`text of at most ${lengthMax} characters`, (value) => (value.length <= lengthMax ? value : undefined));
}

export function pattern(shape: RegExp, allowed: string): Param<string | undefined> {
  return param(allowed, (value) => (shape.test(value) ? value : undefined));
}

export function integer(min: number, max: number): Param<number | undefined> {
  return param(`a whole number from ${min} to ${max}`, (value) => {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    return number >= min && number <= max ? number : undefined;
  });
}

export function millis(): Param<number | undefined> {
  return { ...integer(0, MILLIS_MAX), allowed: 'a time in whole milliseconds since 1970' };
}

export function decimal(): Param<number | undefined> {
  return param('a number that is not negative', (value) =>
    /^\d{1,15}(\.\d{1,9})?$/.test(value) ? Number(value) : undefined,
  );
}

export function flag(): Param<boolean | undefined> {
  return param('true or false', (value) => (value === 'true' ? true : value === 'false' ? false : undefined));
}

export function oneOf<const V extends string>(...values: readonly V[]): Param<V | undefined> {
  return param(`one of ${values.join(', ')}`, (value) => values.find((known) => known === value));
}

export function withDefault<T>(of: Param<T | undefined>, fallback: T): Param<T> {
  return { ...of, fallback };
}

export function repeated<T>(of: Param<T | undefined>): Param<readonly T[]> {
  return { allowed: of.allowed, parse: of.parse, repeated: true, fallback: undefined };
}

export function param<T>(allowed: string, parse: (text: string) => T | undefined): Param<T | undefined> {
  return { allowed, parse, repeated: false, fallback: undefined };
}

export function refuse(field: string, message: string): { ok: false; refusal: Refusal } {
  return { ok: false, refusal: { status: 400, code: 'BAD_PARAMETER', field, message } };
}

/** What came from outside, short and on one line. */
export function quote(value: string): string {
  return `'${JSON.stringify(value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value).slice(1, -1)}'`;
}

/** The end of the year 9999. */
export const MILLIS_MAX = 253_402_300_799_999;
const REPEATED_MAX = 10;
const SHOWN_MAX = 100;
