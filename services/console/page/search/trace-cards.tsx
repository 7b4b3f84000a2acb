import type { TraceSummary } from '../core/api-types.ts';
import { clock, day, duration, plural } from '../core/format.ts';
import { hrefOf } from '../core/routes.ts';
import { HealthMark } from '../ui/icons.tsx';
import { Text } from '../ui/text.tsx';

/** Beyond so many services a card only tells how many more there are. */
const SERVICES_SHOWN = 6;

export function TraceCards({ traces }: { traces: readonly TraceSummary[] }) {
  const longest = Math.max(1e-6, ...traces.map(({ durationMs }) => durationMs));
  return (
    <ul class="cards">
      {traces.map((trace) => (
        <TraceCard key={trace.traceId} trace={trace} share={trace.durationMs / longest} />
      ))}
    </ul>
  );
}

function TraceCard({ trace, share }: { trace: TraceSummary; share: number }) {
  const rest = trace.services.length - SERVICES_SHOWN;
  return (
    <li>
      <a class={`card ${trace.errorCount > 0 ? 'failing' : ''}`} href={hrefOf('trace', {}, trace.traceId)}>
        <span class="card-bar" style={{ width: `${Math.max(0.4, share * 100)}%` }} />
        <span class="card-title">
          {trace.rootService === null ? (
            <i class="faint">the root is missing</i>
          ) : (
            <b>
              <Text of={trace.rootService} max={50} />
            </b>
          )}{' '}
          <Text of={trace.rootOperation ?? ''} max={80} />
        </span>
        <b class="card-duration">{duration(trace.durationMs * 1_000)}</b>
        <span class="card-facts">
          {trace.errorCount > 0 && (
            <span class="strong failing nowrap">
              <HealthMark health="failing" size={12} /> {plural(trace.errorCount, 'error')}
            </span>
          )}
          <span class="faint nowrap">{plural(trace.spanCount, 'span')}</span>
          {trace.orphanCount > 0 && (
            <span class="strong degraded nowrap">
              <HealthMark health="degraded" size={12} /> {plural(trace.orphanCount, 'orphan')}
            </span>
          )}
          {trace.open && <span class="tag">still open</span>}
          {trace.source === 'archive' && <span class="tag">archive</span>}
          {trace.services.slice(0, SERVICES_SHOWN).map((service) => (
            <span key={service.name} class={`chip ${service.errorCount > 0 ? 'failing' : ''}`}>
              <Text of={service.name} max={32} />{' '}
              {service.errorCount > 0 ? `${service.errorCount} ✕ of ${service.spanCount}` : service.spanCount}
            </span>
          ))}
          {rest > 0 && <span class="faint">and {rest} more</span>}
        </span>
        <span class="card-time faint" title={`${day(trace.startMs)}, ${clock(trace.startMs, undefined, true)}`}>
          {clock(trace.startMs)}
        </span>
      </a>
    </li>
  );
}
