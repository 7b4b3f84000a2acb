/** How one setting is written in the environment, checked and documented. Made by the functions below. */
export interface Setting<T> {
  readonly kind: SettingKind;
  /** One or more sentences: what it does, and what is traded when it is changed. */
  readonly description: string;
  /** `milliseconds`, `bytes` or another unit; empty for text, lists, choices and flags. */
  readonly unit: string;
  /** Completes "it must be …" in messages and in the reference. */
  readonly allowed: string;
  readonly default: T | undefined;
  /** For the reference, when the default is worked out from something else. */
  readonly defaultText: string | undefined;
  readonly required: boolean;
  /** Values never show in messages, logs or the reference. */
  readonly secret: boolean;
  /** `undefined`: the text is not what `allowed` says. */
  parse(text: string): T | undefined;
  /** As a person would write it. */
  show(value: T): string;
  /** Looks at the value together with the other settings; a sentence says what is wrong. */
  readonly check: SettingCheck | undefined;
}

export type SettingKind =
  | 'text'
  | 'list'
  | 'secret'
  | 'integer'
  | 'number'
  | 'duration'
  | 'bytes'
  | 'ratio'
  | 'flag'
  | 'choice';

/** Called with all settings by name; only when this one is set or has a default. */
export type SettingCheck = (all: Readonly<Record<string, unknown>>) => string | undefined;

interface Common<T> {
  readonly description: string;
  readonly default?: T;
  readonly defaultText?: string;
  /** Without a default, a setting that is not required reads as `undefined`. */
  readonly required?: boolean;
  readonly check?: SettingCheck;
}

/** A value is there for certain when it has a default or is required. */
type ValueOf<S, T> = S extends { required: true } | { default: T } ? T : T | undefined;

export interface TextSpec extends Common<string> {
  readonly pattern?: RegExp;
  /** Says the pattern in words: completes "it must be …". */
  readonly allowed?: string;
}

export function text<const S extends TextSpec>(spec: S): Setting<ValueOf<S, string>> {
  const { pattern } = spec;
  return setting<string, S>('text', spec, {
    allowed: spec.allowed ?? (pattern === undefined ? 'text' : `text that matches ${pattern}`),
    parse: (value) => (pattern === undefined || pattern.test(value) ? value : undefined),
    show: (value) => value,
  });
}

/** Text that shows nowhere. `X_FILE` names a file that holds it. */
export function secret<const S extends TextSpec>(spec: S): Setting<ValueOf<S, string>> {
  return { ...text(spec), kind: 'secret', secret: true };
}

export interface TextListSpec extends Common<readonly string[]> {
  /** Each item must match. */
  readonly pattern?: RegExp;
  /** Says in words what an item is: completes "it must be a list, separated by commas, of …". */
  readonly items?: string;
}

/** Items separated by commas; `none` is the empty list, because an empty variable counts as not set. */
export function textList<const S extends TextListSpec>(spec: S): Setting<ValueOf<S, readonly string[]>> {
  const { pattern } = spec;
  return setting<readonly string[], S>('list', spec, {
    allowed: `a list, separated by commas, of ${spec.items ?? 'texts'} (none: the empty list)`,
    parse(value) {
      if (value === 'none') return [];
      const items = value.split(',').map((item) => item.trim());
      return items.every((item) => item !== '' && (pattern === undefined || pattern.test(item))) ? items : undefined;
    },
    show: (value) => (value.length === 0 ? 'none' : value.join(',')),
  });
}

export interface IntegerSpec extends Common<number> {
  readonly min: number;
  readonly max: number;
  /** What is counted, e.g. `spans`. */
  readonly unit?: string;
}

export function integer<const S extends IntegerSpec>(spec: S): Setting<ValueOf<S, number>> {
  return numeric<S>('integer', spec, spec.unit ?? '', `a whole number from ${spec.min} to ${spec.max}`, wholeNumber);
}

/** Names of durations carry `_MS`. */
export function durationMs<const S extends Omit<IntegerSpec, 'unit'>>(spec: S): Setting<ValueOf<S, number>> {
  const allowed = `whole milliseconds from ${spec.min} to ${spec.max}`;
  return numeric<S>('duration', spec, 'milliseconds', allowed, wholeNumber);
}

/** Plain bytes, or a whole number of KiB, MiB or GiB. Names carry `_BYTES`. */
export function bytes<const S extends Omit<IntegerSpec, 'unit'>>(spec: S): Setting<ValueOf<S, number>> {
  const allowed = `bytes, or a whole number with KiB, MiB or GiB, from ${showBytes(spec.min)} to ${showBytes(spec.max)}`;
  return { ...numeric<S>('bytes', spec, 'bytes', allowed, byteCount), show: (value) => showBytes(value as number) };
}

export interface RatioSpec extends Common<number> {
  readonly min?: number;
  readonly max?: number;
}

/** A share, from 0 to 1 unless said otherwise. */
export function ratio<const S extends RatioSpec>(spec: S): Setting<ValueOf<S, number>> {
  const range = { min: spec.min ?? 0, max: spec.max ?? 1 };
  return numeric<S>('ratio', { ...spec, ...range }, '', `a number from ${range.min} to ${range.max}`, decimal);
}

/** A number that need not be whole. */
export function decimalNumber<const S extends IntegerSpec>(spec: S): Setting<ValueOf<S, number>> {
  return numeric<S>('number', spec, spec.unit ?? '', `a number from ${spec.min} to ${spec.max}`, decimal);
}

export function flag<const S extends Common<boolean>>(spec: S): Setting<ValueOf<S, boolean>> {
  return setting<boolean, S>('flag', spec, {
    allowed: 'true or false',
    parse: (value) => FLAGS.get(value.toLowerCase()),
    show: String,
  });
}

export interface ChoiceSpec<V extends string> extends Common<V> {
  readonly values: readonly V[];
}

export function choice<const V extends string, const S extends ChoiceSpec<V>>(
  spec: S & { values: readonly V[] },
): Setting<ValueOf<S, V>> {
  return setting<V, S>('choice', spec, {
    allowed: `one of ${spec.values.join(', ')}`,
    parse: (value) => spec.values.find((known) => known === value),
    show: (value) => value,
  });
}

type Behaviour<T> = Pick<Setting<T>, 'allowed' | 'parse' | 'show'> & { unit?: string };

function setting<T, S extends Common<T>>(
  kind: SettingKind,
  spec: Common<T>,
  behaviour: Behaviour<T>,
): Setting<ValueOf<S, T>> {
  const made: Setting<T> = {
    kind,
    description: spec.description,
    unit: behaviour.unit ?? '',
    allowed: behaviour.allowed,
    default: spec.default,
    defaultText: spec.defaultText,
    required: spec.required ?? false,
    secret: false,
    parse: behaviour.parse,
    show: behaviour.show,
    check: spec.check,
  };
  // `undefined` in the value's type comes from what is declared above, not from parsing.
  return made as Setting<ValueOf<S, T>>;
}

function numeric<S extends Common<number>>(
  kind: SettingKind,
  spec: Common<number> & { min: number; max: number },
  unit: string,
  allowed: string,
  read: (value: string) => number | undefined,
): Setting<ValueOf<S, number>> {
  return setting<number, S>(kind, spec, {
    unit,
    allowed,
    parse(value) {
      const number = read(value);
      return number === undefined || number < spec.min || number > spec.max ? undefined : number;
    },
    show: String,
  });
}

function wholeNumber(value: string): number | undefined {
  if (!/^-?[0-9]{1,16}$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

function decimal(value: string): number | undefined {
  return /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(value) ? Number(value) : undefined;
}

function byteCount(value: string): number | undefined {
  const match = /^([0-9]{1,16})(?: ?(KiB|MiB|GiB))?$/.exec(value);
  if (match === null) return undefined;
  const number = Number(match[1]) * (BYTE_UNITS.get(match[2] ?? '') as number);
  return Number.isSafeInteger(number) ? number : undefined;
}

function showBytes(value: number): string {
  for (const [name, size] of LARGEST_UNIT_FIRST) {
    if (value !== 0 && value % size === 0) return name === '' ? String(value) : `${value / size}${name}`;
  }
  return String(value);
}

const FLAGS = new Map([
  ['true', true],
  ['1', true],
  ['yes', true],
  ['on', true],
  ['false', false],
  ['0', false],
  ['no', false],
  ['off', false],
]);

const BYTE_UNITS = new Map([
  ['', 1],
  ['KiB', 1024],
  ['MiB', 1024 ** 2],
  ['GiB', 1024 ** 3],
]);
const LARGEST_UNIT_FIRST = [...BYTE_UNITS].reverse();
