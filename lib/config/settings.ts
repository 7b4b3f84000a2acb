import { readFileSync } from 'node:fs';
import { describeError } from '../errors/spanloom-error.ts';
import { ConfigError } from './config-error.ts';
import type { Setting } from './setting-kinds.ts';

export { ConfigError } from './config-error.ts';
export type { Setting } from './setting-kinds.ts';
export {
  bytes,
  choice,
  decimalNumber,
  durationMs,
  flag,
  integer,
  ratio,
  secret,
  text,
  textList,
} from './setting-kinds.ts';

/** Settings by the name of their environment variable. */
export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** What `readSettings` gives for a declaration. */
export type ValuesOf<S extends Settings> = { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never };

/** All settings of a service: read at once, documented from the same declaration. */
export interface Declared<S extends Settings = Settings> {
  readonly settings: S;
  readonly checks: readonly ((values: ValuesOf<S>) => string | undefined)[];
}

/** Values of a declaration, e.g. `SettingsOf<typeof settings>`. */
export type SettingsOf<D> = D extends Declared<infer S> ? ValuesOf<S> : never;

/**
 * Declares the settings of a service. `checks` look at several settings together and answer with a sentence when they
 * do not fit; they are not asked about settings that are wrong by themselves.
 * @throws Error (a defect of the declaration) for a name, a description or a default that breaks the rules.
 */
export function defineSettings<const S extends Settings>(
  settings: S,
  options: { checks?: readonly ((values: ValuesOf<S>) => string | undefined)[] } = {},
): Declared<S> {
  for (const [name, setting] of Object.entries(settings)) assertWellDeclared(name, setting);
  return { settings, checks: options.checks ?? [] };
}

/**
 * Reads the declared settings from environment variables. An empty variable counts as not set. `<NAME>_FILE` names a
 * file that holds the value, for any setting; its last line break is not part of the value.
 * @throws ConfigError with every mistake, not only the first.
 */
export function readSettings<S extends Settings>(
  declared: Declared<S>,
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string = (path) => readFileSync(path, 'utf8'),
): ValuesOf<S> {
  const mistakes: string[] = [];
  const values: Record<string, unknown> = {};
  const wrong = new Set<string>();
  for (const [name, setting] of Object.entries(declared.settings)) {
    const outcome = readOne(name, setting, environment, readFile);
    if (outcome.mistake === undefined) {
      values[name] = outcome.value;
    } else {
      wrong.add(name);
      mistakes.push(outcome.mistake);
    }
  }
  mistakes.push(...crossMistakes(declared, values, wrong));
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return Object.freeze(values) as ValuesOf<S>;
}

/** Settings that differ from their defaults, as people write them, for the log; secrets are only named. */
export function describeChanges<S extends Settings>(
  declared: Declared<S>,
  values: ValuesOf<S>,
): Record<string, string> {
  const changes: Record<string, string> = {};
  for (const [name, setting] of Object.entries(declared.settings)) {
    const value = values[name];
    if (value === undefined) continue;
    const shown = setting.show(value);
    if (setting.default !== undefined && shown === setting.show(setting.default)) continue;
    changes[name] = setting.secret ? '(secret)' : shown;
  }
  return changes;
}

type Outcome = { mistake?: undefined; value: unknown } | { mistake: string };

function readOne(
  name: string,
  setting: Setting<unknown>,
  environment: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): Outcome {
  const fileVariable = `${name}_FILE`;
  const direct = environment[name] || undefined;
  const file = environment[fileVariable] || undefined;
  if (direct !== undefined && file !== undefined) {
    return { mistake: `${name} and ${fileVariable} are both set; set one of them.` };
  }
  let given = direct;
  if (file !== undefined) {
    try {
      given = readFile(file).replace(/\r?\n$/, '');
    } catch (error) {
      return { mistake: `${fileVariable} names ${quote(file)}, which cannot be read: ${describeError(error)}.` };
    }
  }
  const source = file === undefined ? name : `${name} (from ${fileVariable})`;
  const value = setting.secret ? given : given?.trim();
  if (value === undefined || value === '') {
    if (setting.required) return { mistake: `${source} is not set; it must be ${setting.allowed}.` };
    return { value: setting.default };
  }
  const parsed = setting.parse(value);
  if (parsed === undefined) {
    const what = setting.secret ? 'has a value that cannot be used' : `is ${quote(value)}`;
    return { mistake: `${source} ${what}; it must be ${setting.allowed}.` };
  }
  return { value: parsed };
}

/** Checks see only settings that are right by themselves: reading another one ends the check without an answer. */
function crossMistakes<S extends Settings>(
  declared: Declared<S>,
  values: Readonly<Record<string, unknown>>,
  wrong: ReadonlySet<string>,
): string[] {
  const guarded = new Proxy(values, {
    get(target, name) {
      if (typeof name === 'string' && wrong.has(name)) throw SETTING_IS_WRONG;
      return Reflect.get(target, name);
    },
  });
  const ask = (check: () => string | undefined): string | undefined => {
    try {
      return check();
    } catch (error) {
      if (error === SETTING_IS_WRONG) return undefined;
      throw error;
    }
  };
  const sentences: (string | undefined)[] = [];
  for (const [name, { check }] of Object.entries(declared.settings)) {
    if (check !== undefined && values[name] !== undefined) sentences.push(ask(() => check(guarded)));
  }
  for (const check of declared.checks) sentences.push(ask(() => check(guarded as ValuesOf<S>)));
  return sentences.filter((sentence) => sentence !== undefined);
}

function assertWellDeclared(name: string, setting: Setting<unknown>): void {
  const defect = (what: string): Error => new Error(`Setting ${name}: ${what}`);
  if (!/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(name)) throw defect('a name is upper case, with _ between words');
  if (name.endsWith('_FILE')) throw defect('names that end in _FILE are taken by the files of other settings');
  if (setting.description.trim() === '') throw defect('the description is empty');
  if (setting.kind === 'duration' && !/_MS(_|$)/.test(name)) throw defect('the name of a duration carries _MS');
  if (setting.kind === 'bytes' && !name.includes('BYTES')) throw defect('the name of a byte count carries BYTES');
  if (setting.required && setting.default !== undefined) throw defect('required, and has a default');
  if (setting.default === undefined) return;
  const shown = setting.show(setting.default);
  if (shown !== '' && setting.parse(shown) === undefined)
    throw defect(`the default ${shown} is not ${setting.allowed}`);
}

function quote(value: string): string {
  const cut = value.length > SHOWN_CHARS_MAX ? `${value.slice(0, SHOWN_CHARS_MAX)}…` : value;
  return `'${JSON.stringify(cut).slice(1, -1).replaceAll('\\"', '"')}'`;
}

const SETTING_IS_WRONG = Symbol('a check read a setting that is wrong by itself');
const SHOWN_CHARS_MAX = 100;
