import type { Incident } from '../core/api-types.ts';
import { evidenceOf, whyOf } from '../core/evidence.ts';
import { clock } from '../core/format.ts';
import { causeName } from '../core/markdown.ts';
import { hrefOf } from '../core/routes.ts';
import { inWords } from '../ui/text.tsx';

export function Causes({ whole }: { whole: Incident }) {
  return (
    <ol class="causes">
      {whole.culprits.map((culprit, at) => (
        <li key={`${culprit.cause.kind}${culprit.cause.service}${culprit.cause.operation}${at}`}>
          <div class="cause-head">
            <b class="cause-rank">{at + 1}</b>
            <b>
              <bdi>{inWords(causeName(culprit.cause))}</bdi>
            </b>
            <span
              class="score"
              title="0 to 1: how much of the errors it explains above its usual share, times how purely its traffic fails"
            >
              <i style={{ width: `${Math.min(1, Math.max(0, culprit.cause.score)) * 100}%` }} />
              <span>{culprit.cause.score.toFixed(2)}</span>
            </span>
          </div>
          <p>
            <bdi>{inWords(culprit.cause.service)}</bdi>: {whyOf(culprit.cause)}.
          </p>
          <ul class="evidence faint">
            {evidenceOf(culprit).map((line) => (
              <li key={line}>
                <bdi>{inWords(line)}</bdi>
              </li>
            ))}
            <li>
              First seen at {clock(culprit.firstSeenMs)}.{' '}
              <a class="link" href={hrefOf('search', searchOf(whole, culprit.cause.caller || culprit.cause.service))}>
                Its failing traces
              </a>
            </li>
          </ul>
        </li>
      ))}
      {whole.changes.length > 0 && (
        <li class="changes">
          <b>New versions shortly before</b>
          <ul class="evidence">
            {whole.changes.map(({ service, version, firstSeenMs }) => (
              <li key={`${service}${version}`}>
                <bdi>{inWords(service)}</bdi> <code>{inWords(version)}</code> at {clock(firstSeenMs)}
              </li>
            ))}
          </ul>
        </li>
      )}
    </ol>
  );
}

function searchOf({ during, incident }: Incident, service: string) {
  return {
    service,
    errors: true,
    span: Math.max(60, Math.ceil((during.toMs - during.fromMs) / 1_000)),
    until: incident.active ? 0 : during.toMs,
  };
}
