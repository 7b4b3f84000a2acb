import { useState } from 'preact/hooks';
import type { Attribute } from '../core/api-types.ts';
import { count } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import { withAttribute } from '../core/search-query.ts';
import { visible } from '../core/shown-text.ts';
import { CopyButton } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { inWords, Text } from '../ui/text.tsx';

interface AttributeTableProps {
  readonly title: string;
  readonly aside?: string;
  /** Whose spans are searched for the same value; undefined: it cannot be searched for. */
  readonly service?: string;
  readonly attributes: readonly Attribute[];
  readonly open?: boolean;
}

/** Characters of a value before the rest is only shown on request, and of what a request shows. */
const SHOWN_AT_FIRST = 400;
const SHOWN_MAX = 20_000;
/** Values above this are not in the index of the hot store. */
const SEARCHABLE_MAX = 256;

export function AttributeTable({ title, aside, service, attributes, open = true }: AttributeTableProps) {
  return (
    <details class="attributes" open={open}>
      <summary>
        <h3>
          <bdi>{inWords(title)}</bdi> <span class="faint">{aside ?? attributes.length}</span>
        </h3>
      </summary>
      {attributes.length === 0 ? (
        <p class="faint">None.</p>
      ) : (
        <table class="plain">
          <thead class="hidden">
            <tr>
              <th scope="col">key</th>
              <th scope="col">value</th>
              <th scope="col">actions</th>
            </tr>
          </thead>
          <tbody>
            {attributes.map((attribute, at) => (
              <Row key={`${attribute.key}${at}`} attribute={attribute} service={service} />
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}

function Row({ attribute, service }: { attribute: Attribute; service: string | undefined }) {
  const { key, value, type } = attribute;
  const searchable = service !== undefined && value.length <= SEARCHABLE_MAX && !/\s|=/.test(key);
  return (
    <tr>
      <th scope="row">
        <Text of={key} max={80} />
      </th>
      <td class={type === 'string' ? 'value' : `value typed ${type}`}>
        <Value value={value} />
      </td>
      <td class="actions">
        <CopyButton label={`Copy the value of ${inWords(key)}`} text={() => value} />
        {searchable && (
          <a
            class="icon-button small"
            href={hrefOf('search', { service, attributes: withAttribute('', key, value) })}
            aria-label={`Find traces with this ${inWords(key)}`}
            title="Find traces with this value"
          >
            <Icon name="filter" size={14} />
          </a>
        )}
      </td>
    </tr>
  );
}

function Value({ value }: { value: string }) {
  const [all, setAll] = useState(false);
  if (value === '') return <i class="faint">empty</i>;
  const shown = value.slice(0, all ? SHOWN_MAX : SHOWN_AT_FIRST);
  return (
    <>
      <bdi>{visible(shown)}</bdi>
      {shown.length < value.length && (
        <>
          …{' '}
          {all ? (
            <span class="faint">{count(value.length)} characters in all; copy it to see the rest</span>
          ) : (
            <button type="button" class="link" onClick={() => setAll(true)}>
              more ({count(value.length)} characters)
            </button>
          )}
        </>
      )}
    </>
  );
}
