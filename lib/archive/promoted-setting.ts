import { textList } from '../config/setting-kinds.ts';
import { SpanloomError } from '../errors/spanloom-error.ts';
import { PROMOTED_OF_RESOURCES, PROMOTED_OF_SPANS, type Promoted, type PromotedAttributes } from './promoted.ts';
import { ARCHIVE_SCHEMA } from './schema.ts';

/** As `ARCHIVE_PROMOTED_ATTRIBUTES` says it: `default`, `tenant.id`, `cart.items:int`, `resource:team`. */
export type PromotedList = readonly string[];

export const PROMOTED_DEFAULT: PromotedList = ['default'];

/** Of the archiver, and of commands that make rows of what is archived as OTLP. */
export const promotedSettings = {
  ARCHIVE_PROMOTED_ATTRIBUTES: textList({
    default: PROMOTED_DEFAULT,
    pattern: /^(default|(resource:)?[\x21-\x2b\x2d-\x7e]+)$/,
    items: 'attributes: KEY, KEY:int, resource:KEY, and default for the columns that docs/archive.md lists',
    description:
      'Attributes with a column of their own, which is much faster to filter and group by; of spans, or with `resource:` of resources. A column is named after its key, with `_` for what is no letter or digit; a value that does not fit is null, and the attribute stays in the JSON too. May change at any time: objects that were written before lack the column.',
    check: (all) => problemOf(all['ARCHIVE_PROMOTED_ATTRIBUTES'] as PromotedList),
  }),
};

/** @throws SpanloomError ARCHIVE_PROMOTED_UNKNOWN when a list, of a chain or a manifest, is none that this version knows. */
export function promotedOf(list: PromotedList): PromotedAttributes {
  const name = list.join(',');
  let promoted = parsed.get(name);
  if (promoted === undefined) {
    const problem = problemOf(list);
    if (problem !== undefined) throw new SpanloomError('ARCHIVE_PROMOTED_UNKNOWN', problem);
    promoted = parse(list);
    parsed.set(name, promoted);
  }
  return promoted;
}

const parsed = new Map<string, PromotedAttributes>();

/** In one order, so that lists that mean the same are the same. */
export function canonicalList(list: PromotedList): PromotedList {
  const others = list.filter((item) => item !== 'default').sort();
  return list.includes('default') ? ['default', ...others] : others;
}

/** An entry or a manifest does not say the default. */
export function isDefaultList(list: PromotedList): boolean {
  return list.join() === PROMOTED_DEFAULT.join();
}

/** A sentence; undefined when there is none. */
function problemOf(list: PromotedList): string | undefined {
  if (list.length > ATTRIBUTES_MAX)
    return `ARCHIVE_PROMOTED_ATTRIBUTES has ${list.length} items, at most ${ATTRIBUTES_MAX}`;
  const { spans, resources } = parse(list);
  const taken = new Set(FIXED_COLUMNS);
  for (const part of [spans, resources]) {
    const keys = new Set<string>();
    for (const { column, keys: own } of part) {
      if (taken.has(column)) return `ARCHIVE_PROMOTED_ATTRIBUTES: there would be two columns ${column}`;
      taken.add(column);
      for (const key of own) {
        if (keys.has(key)) return `ARCHIVE_PROMOTED_ATTRIBUTES: ${key} has a column already`;
        keys.add(key);
      }
    }
  }
  return undefined;
}

function parse(list: PromotedList): PromotedAttributes {
  const isDefault = list.includes('default');
  const spans: Promoted[] = isDefault ? [...PROMOTED_OF_SPANS] : [];
  const resources: Promoted[] = isDefault ? [...PROMOTED_OF_RESOURCES] : [];
  for (const item of list) {
    const match = /^(?<resource>resource:)?(?<key>.+?)(?<int>:int)?$/.exec(item)?.groups;
    if (item === 'default' || match === undefined) continue;
    const key = match['key'] as string;
    (match['resource'] === undefined ? spans : resources).push({
      column: key.toLowerCase().replaceAll(/[^a-z0-9]/g, '_'),
      keys: [key],
      type: match['int'] === undefined ? 'text' : 'int32',
      isCopy: true,
    });
  }
  return { spans, resources };
}

const ATTRIBUTES_MAX = 64;
const DEFAULT_COLUMNS = new Set([...PROMOTED_OF_SPANS, ...PROMOTED_OF_RESOURCES].map(({ column }) => column));
const FIXED_COLUMNS = ARCHIVE_SCHEMA.spans.map(({ name }) => name).filter((name) => !DEFAULT_COLUMNS.has(name));
