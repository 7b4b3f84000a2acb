import { useMemo } from 'preact/hooks';
import type { Span, SpanDetail } from '../core/api-types.ts';
import { plural } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import type { TraceModel } from '../core/trace-model.ts';
import { describeWarning, nanos } from '../core/trace-warnings.ts';
import { getJson } from '../data/api.ts';
import { useAnswer } from '../data/use-answer.ts';
import { CopyButton } from '../ui/controls.tsx';
import { HealthMark, Icon } from '../ui/icons.tsx';
import { Answered } from '../ui/states.tsx';
import { Text } from '../ui/text.tsx';
import { AttributeTable } from './attribute-table.tsx';

interface SpanPanelProps {
  readonly model: TraceModel;
  readonly row: number;
  readonly onClose: () => void;
  readonly onRow: (row: number) => void;
}

export function SpanPanel({ model, row, onClose, onRow }: SpanPanelProps) {
  const { trace, tree, self, pathNs } = model;
  const span = tree.spans[row] as Span;
  const parentRow = tree.parent[row] as number;
  const parent = tree.spans[parentRow];
  const query = new URLSearchParams({ index: String(row) });
  const asked = span.detail === undefined ? `${span.spanId} ${row}` : undefined;
  const answer = useAnswer(asked, (signal) =>
    getJson<SpanDetail>(`traces/${trace.traceId}/spans/${span.spanId}`, query, signal),
  );
  const resource = trace.resources[span.resource];
  return (
    <aside class="panel span-panel" aria-label="One span">
      <header>
        <div>
          <h2>
            <Text of={span.operation} max={120} />
          </h2>
          <p class="faint">
            <i class={`swatch-service s${model.colourOf.get(span.service) ?? 0}`} /> <Text of={span.service} max={60} />
            , {span.kind}
          </p>
        </div>
        <button type="button" class="icon-button" aria-label="Close the panel" title="Close (Esc)" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {span.status === 'error' && (
        <p class="notice fail">
          <HealthMark health="failing" />{' '}
          <span>
            <b>Failed.</b> {span.statusMessage !== '' && <Text of={span.statusMessage} max={1_000} />}
          </span>
        </p>
      )}
      {span.warnings.map((warning) => (
        <p class="notice warn" key={warning}>
          <HealthMark health="degraded" /> <span>{describeWarning(warning, span, parent)}</span>
        </p>
      ))}
      <dl class="figures">
        <div>
          <dt>duration</dt>
          <dd>
            <b>{nanos(span.durationNs)}</b>
            <span class="faint">begins at {nanos(span.offsetNs - tree.fromNs)}</span>
          </dd>
        </div>
        <div>
          <dt>self time</dt>
          <dd>
            <b>{nanos(self[row] as number)}</b>
            <span class="faint">{plural(tree.childCount[row] as number, 'child', 'children')}</span>
          </dd>
        </div>
        <div>
          <dt>critical path</dt>
          <dd>
            <b>{(pathNs[row] as number) > 0 ? nanos(pathNs[row] as number) : 'not on it'}</b>
            <span class="faint">of {nanos(tree.toNs - tree.fromNs)}</span>
          </dd>
        </div>
      </dl>
      <p class="row ids">
        <span class="nowrap">
          span <code>{span.spanId}</code> <CopyButton label="Copy the span id" text={() => span.spanId} />
        </span>
        {parent !== undefined && (
          <button type="button" class="link" onClick={() => onRow(parentRow)}>
            to its parent
          </button>
        )}
        <a class="link" href={hrefOf('search', { service: span.service, operation: span.operation })}>
          traces with this operation
        </a>
        <a class="link" href={hrefOf('graph', { service: span.service })}>
          on the graph
        </a>
      </p>
      {span.detail !== undefined ? (
        <Detail detail={span.detail} span={span} tree={tree} />
      ) : (
        <Answered answer={answer} what="details">
          {(detail) => <Detail detail={detail} span={span} tree={tree} />}
        </Answered>
      )}
      {resource !== undefined && (
        <AttributeTable title="Resource" service={span.service} attributes={resource.attributes} />
      )}
    </aside>
  );
}

function Detail({ detail, span, tree }: { detail: SpanDetail; span: Span; tree: TraceModel['tree'] }) {
  const events = useMemo(() => detail.events.toSorted((a, b) => a.offsetNs - b.offsetNs), [detail]);
  return (
    <>
      <AttributeTable title="Attributes" service={span.service} attributes={detail.attributes} />
      {events.map((event, at) => (
        <AttributeTable
          key={`${event.name}${at}`}
          title={`Event ${event.name}`}
          aside={`${nanos(event.offsetNs - tree.fromNs)} into the trace`}
          attributes={event.attributes}
          open={event.name === 'exception'}
        />
      ))}
      {detail.links.length > 0 && (
        <>
          <h3>Links</h3>
          <ul class="plain-list">
            {detail.links.map((link) => (
              <li key={`${link.traceId}${link.spanId}`}>
                <a class="link" href={hrefOf('trace', { selected: link.spanId }, link.traceId)}>
                  <Icon name="link" size={13} /> span <code>{link.spanId}</code> of trace{' '}
                  <code>{link.traceId.slice(0, 16)}</code>
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
      {detail.scope !== '' && (
        <p class="faint">
          Recorded by <Text of={detail.scope} />
        </p>
      )}
    </>
  );
}
