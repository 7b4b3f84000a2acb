/** How one piece of a view's state stands in the URL. Whatever the URL says, reading gives a value that the view can show. */
export interface Field<T> {
  readonly fallback: T;
  /** Undefined: not a value of this field. */
  parse(text: string): T | undefined;
  print(value: T): string;
}

export type Fields = Readonly<Record<string, Field<never>>>;
export type StateOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export const text = (charactersMax = 500): Field<string> => ({
  fallback: '',
  parse: (value) => value.slice(0, charactersMax),
  print: (value) => value,
});

export const whole = (fallback: number, min: number, max: number): Field<number> => ({
  fallback,
  parse: (value) => (/^-?\d{1,16}$/.test(value) ? Math.min(max, Math.max(min, Number(value))) : undefined),
  print: String,
});

export const flag = (): Field<boolean> => ({
  fallback: false,
  parse: (value) => value === '1',
  print: (value) => (value ? '1' : '0'),
});

export const choice = <const T extends string>(fallback: T, ...others: readonly T[]): Field<T> => ({
  fallback,
  parse: (value) => [fallback, ...others].find((known) => known === value),
  print: (value) => value,
});

/** Short words, joined by commas; those with a comma of their own are not for this field. */
export const words = (wordsMax = 2_000): Field<readonly string[]> => ({
  fallback: [],
  parse: (value) =>
    value
      .split(',')
      .filter((word) => word !== '')
      .slice(0, wordsMax),
  print: (value) => value.join(','),
});

export function readState<F extends Record<string, Field<unknown>>>(fields: F, query: string): StateOf<F> {
  const params = new URLSearchParams(query);
  const entries = Object.entries(fields).map(([name, field]) => {
    const value = params.get(name);
    return [name, (value === null ? undefined : field.parse(value)) ?? field.fallback];
  });
  return Object.fromEntries(entries) as StateOf<F>;
}

/** Only what differs from the fallback, in the order of the fields: one state, one URL. */
export function writeState<F extends Record<string, Field<unknown>>>(fields: F, state: Partial<StateOf<F>>): string {
  const params = new URLSearchParams();
  for (const [name, field] of Object.entries(fields) as [string, Field<unknown>][]) {
    const value = (state as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const printed = field.print(value);
    if (printed !== field.print(field.fallback)) params.set(name, printed);
  }
  return params.toString();
}
