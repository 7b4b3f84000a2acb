import { useState } from 'preact/hooks';
import { clock, count, day, duration, plural } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import { nanos } from '../core/trace-warnings.ts';
import { firstErrorRow } from '../core/waterfall-rows.ts';
import { apiUrl } from '../data/api.ts';
import { CopyButton, Segmented } from '../ui/controls.tsx';
import { HealthMark, Icon } from '../ui/icons.tsx';
import { Text } from '../ui/text.tsx';
import type { TraceViewProps } from './trace-page.tsx';

const SERVICES_SHOWN = 12;

export function TraceHead({ model, state, onChange, again }: TraceViewProps & { again: () => void }) {
  const { trace, tree, pathNs } = model;
  const [all, setAll] = useState(false);
  const failedAt = firstErrorRow(tree);
  const onPath = new Map<string, number>();
  tree.spans.forEach(({ service }, row) => {
    onPath.set(service, (onPath.get(service) ?? 0) + (pathNs[row] as number));
  });
  const jump = () => onChange({ tab: 'waterfall', selected: idOf(model, failedAt) }, 'large');
  return (
    <header class="trace-head">
      <div class="trace-title">
        <h1>
          {trace.rootService === null ? (
            <i class="faint">the root is missing</i>
          ) : (
            <Text of={trace.rootService} max={60} />
          )}{' '}
          <span class="operation">
            <Text of={trace.rootOperation ?? ''} max={100} />
          </span>
        </h1>
        <p class="facts">
          <b>{nanos(tree.toNs - tree.fromNs)}</b>
          <span title={`${day(trace.startMs)}, ${clock(trace.startMs, undefined, true)}`}>
            {day(trace.startMs)}, {clock(trace.startMs, undefined, true)}
          </span>
          <span>{plural(trace.spanCount, 'span')}</span>
          <span>{plural(trace.services.length, 'service')}</span>
          {trace.errorCount > 0 && (
            <span class="strong failing">
              <HealthMark health="failing" size={12} /> {plural(trace.errorCount, 'error')}
            </span>
          )}
          {trace.orphanCount > 0 && (
            <span class="strong degraded" title="Spans whose parent is not in the trace">
              <HealthMark health="degraded" size={12} /> {plural(trace.orphanCount, 'orphan')}
            </span>
          )}
          {trace.open && (
            <span class="tag">
              still open{' '}
              <button type="button" class="link" onClick={again}>
                look again
              </button>
            </span>
          )}
          <span class="nowrap">
            <code>{trace.traceId}</code> <CopyButton label="Copy the trace id" text={() => trace.traceId} />
          </span>
        </p>
      </div>
      <div class="row">
        {failedAt >= 0 && (
          <button type="button" class="button danger" onClick={jump}>
            <Icon name="error" /> First error
          </button>
        )}
        <CopyButton label="Copy a link to what you see" words="Copy link" text={() => location.href} />
        <a class="button" href={apiUrl(`traces/${trace.traceId}`)} download={`trace-${trace.traceId}.json`}>
          JSON
        </a>
        <a
          class="button"
          href={hrefOf('search', { service: trace.rootService ?? '', operation: trace.rootOperation ?? '' })}
        >
          <Icon name="search" /> Similar ones
        </a>
        <Segmented
          label="Form of the trace"
          value={state.tab}
          options={[
            ['waterfall', 'Waterfall'],
            ['statistics', 'Statistics'],
            ['compare', 'Compare'],
          ]}
          onChange={(tab) => onChange({ tab }, 'large')}
        />
      </div>
      <ul class="service-chips" aria-label="Services of this trace, with their share of the critical path">
        {trace.services.slice(0, all ? undefined : SERVICES_SHOWN).map(({ name, spanCount, errorCount }) => (
          <li key={name} class={`chip s${model.colourOf.get(name)}`}>
            <i class="swatch-service" aria-hidden="true" />
            <Text of={name} max={40} /> <span class="faint">{count(spanCount)}</span>
            {errorCount > 0 && <span class="strong failing">{errorCount} ✕</span>}
            {(onPath.get(name) ?? 0) > 0 && (
              <span class="faint">{duration((onPath.get(name) as number) / 1_000)} of the path</span>
            )}
          </li>
        ))}
        {trace.services.length > SERVICES_SHOWN && (
          <li>
            <button type="button" class="link" onClick={() => setAll(!all)}>
              {all ? 'fewer' : `${trace.services.length - SERVICES_SHOWN} more`}
            </button>
          </li>
        )}
      </ul>
    </header>
  );
}

export function idOf({ tree }: TraceViewProps['model'], row: number): string {
  return tree.spans[row]?.spanId ?? '';
}
