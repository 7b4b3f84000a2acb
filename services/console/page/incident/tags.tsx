import type { IncidentSummary } from '../core/api-types.ts';
import { HealthMark } from '../ui/icons.tsx';

const MARK = { critical: 'failing', major: 'failing', minor: 'degraded', warning: 'degraded' } as const;

export function SeverityTag({ severity }: { severity: IncidentSummary['severity'] }) {
  return (
    <span class={`tag severity ${severity}`}>
      <HealthMark health={MARK[severity]} size={11} /> {severity}
    </span>
  );
}

const STATE_WORDS: Readonly<Record<IncidentSummary['state'], string>> = {
  open: 'under way',
  updated: 'under way',
  reopened: 'back again',
  resolved: 'over',
  stale: 'no traffic any more',
  expired: 'has become usual',
};

export function StateTag({ incident }: { incident: Pick<IncidentSummary, 'state' | 'active'> }) {
  return <span class={`tag ${incident.active ? 'active' : ''}`}>{STATE_WORDS[incident.state]}</span>;
}
