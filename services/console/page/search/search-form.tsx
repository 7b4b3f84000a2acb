import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { GraphNode, Notice } from '../core/api-types.ts';
import { dayAndClock } from '../core/format.ts';
import type { ViewState } from '../core/routes.ts';
import { hrefOf } from '../core/routes.ts';
import { type SearchProblem, traceIdIn } from '../core/search-query.ts';
import { getJson } from '../data/api.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Toggle } from '../ui/controls.tsx';
import { Icon } from '../ui/icons.tsx';
import { goTo } from '../ui/route.ts';
import { SpanSelect } from '../ui/span-select.tsx';

interface SearchFormProps {
  readonly state: ViewState<'search'>;
  readonly problem: SearchProblem | undefined;
  readonly busy: boolean;
  readonly onSearch: (change: Partial<ViewState<'search'>>) => void;
  readonly onAgain: () => void;
}

interface Services {
  readonly services: readonly GraphNode[];
  readonly notices: readonly Notice[];
}

interface Operations {
  readonly operations: readonly { readonly service: string; readonly operation: string }[];
}

/** The question. It is asked when it is sent, not while it is typed. */
export function SearchForm({ state, problem, busy, onSearch, onAgain }: SearchFormProps) {
  const [form, setForm] = useState(state);
  const [pasted, setPasted] = useState('');
  const services = useAnswer('services', (signal) => getJson<Services>('services', undefined, signal));
  const ofService = new URLSearchParams(form.service === '' ? {} : { service: form.service });
  const operations = useAnswer(String(ofService), (signal) => getJson<Operations>('operations', ofService, signal));
  const set = (change: Partial<ViewState<'search'>>) => setForm({ ...form, ...change });
  const send = (event: Event) => {
    event.preventDefault();
    const traceId = traceIdIn(pasted);
    if (traceId !== undefined) goTo(hrefOf('trace', {}, traceId));
    else if (JSON.stringify(form) === JSON.stringify(state)) onAgain();
    else onSearch(form);
  };
  const names = [...new Set((operations.data?.operations ?? []).map(({ operation }) => operation))].slice(0, 500);
  return (
    <form class="search-form" onSubmit={send} aria-label="What to search for">
      <Field label="Service">
        <input
          list="search-services"
          value={form.service}
          placeholder="any"
          onInput={(e) => set({ service: e.currentTarget.value })}
        />
        <datalist id="search-services">
          {(services.data?.services ?? [])
            .filter(({ kind }) => kind === 'service')
            .map(({ name }) => (
              <option key={name} value={name} />
            ))}
        </datalist>
      </Field>
      <Field label="Operation">
        <input
          list="search-operations"
          value={form.operation}
          placeholder="any"
          onInput={(e) => set({ operation: e.currentTarget.value })}
        />
        <datalist id="search-operations">
          {names.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      </Field>
      <Field label="Attributes" problem={problem?.field === 'attributes' ? problem.message : undefined}>
        <input
          value={form.attributes}
          placeholder="http.route=/cart db.system=mysql"
          onInput={(e) => set({ attributes: e.currentTarget.value })}
        />
      </Field>
      <div class="pair">
        <Field label="Lasting at least" problem={problem?.field === 'min' ? problem.message : undefined}>
          <input value={form.min} placeholder="250ms" onInput={(e) => set({ min: e.currentTarget.value })} />
        </Field>
        <Field label="At most" problem={problem?.field === 'max' ? problem.message : undefined}>
          <input value={form.max} placeholder="2s" onInput={(e) => set({ max: e.currentTarget.value })} />
        </Field>
      </div>
      <div class="pair">
        <Field label={state.until === 0 ? 'In the last' : 'In the time before'}>
          <SpanSelect label="Length of the time" value={form.span} onChange={(span) => set({ span })} />
        </Field>
        <Field label="How many">
          <select value={form.limit} onChange={(e) => set({ limit: Number(e.currentTarget.value) })}>
            {[20, 50, 100, 200, 500].map((limit) => (
              <option key={limit} value={limit}>
                {limit}
              </option>
            ))}
          </select>
        </Field>
      </div>
      {state.until !== 0 && (
        <p class="faint">
          before {dayAndClock(state.until)}{' '}
          <button type="button" class="link" onClick={() => onSearch({ ...form, until: 0 })}>
            until now instead
          </button>
        </p>
      )}
      <Toggle on={form.errors} onChange={(errors) => set({ errors })}>
        With errors only
      </Toggle>
      <button type="submit" class="button primary" aria-busy={busy}>
        <Icon name="search" /> Search
      </button>
      <hr />
      <Field label="Or a trace id, or anything with one in it">
        <input
          value={pasted}
          class="mono"
          placeholder="4bf92f3577b34da6a3ce929d0e0e4736"
          onInput={(e) => setPasted(e.currentTarget.value)}
        />
      </Field>
    </form>
  );
}

function Field({ label, problem, children }: { label: string; problem?: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child.
    <label class={problem === undefined ? 'field' : 'field wrong'}>
      <span>{label}</span>
      {children}
      {problem !== undefined && (
        <span class="field-problem" role="alert">
          {problem}
        </span>
      )}
    </label>
  );
}
