import type { Incident } from '../../../lib/codec/incident-records.ts';
import { isFiring } from './alertmanager.ts';
import { SEVERITIES } from './sinks.ts';

/** A message as Slack's incoming webhooks take it; Mattermost, Rocket.Chat and Discord (`/slack`) take the same. */
export function slackMessage(incident: Incident, link: string): string {
  const { incidentId, state, severity, exemplars, ownerTeam } = incident;
  const title = `${TITLES[state]}: ${severity}${ownerTeam === '' ? '' : `, for ${ownerTeam}`}`;
  const url = link.replace('{id}', encodeURIComponent(incidentId));
  const traces = exemplars.slice(0, TRACES_MAX).map(({ traceId }) => `\`${escapeText(traceId)}\``);
  return JSON.stringify({
    text: `${escapeText(title)}. ${escapeText(incident.summary)}`,
    attachments: [
      {
        color: isFiring(incident) ? COLOURS[severity] : '#2e7d32',
        title: `Incident ${escapeText(incidentId)}`,
        ...(link === '' ? {} : { title_link: url }),
        fields: [
          { title: 'Cause', value: escapeText(incident.cause.service), short: true },
          { title: 'Requests hit', value: hit(incident), short: true },
          ...(traces.length === 0 ? [] : [{ title: 'Traces', value: traces.join(' '), short: false }]),
        ],
        mrkdwn_in: ['fields'],
      },
    ],
  });
}

/** Whether a person wants to be told: not of every new figure, but when it opens, ends, gets worse or has another cause. */
export function isNewsForPeople(incident: Incident, before: Incident | undefined): boolean {
  if (incident.state !== 'updated' || before === undefined) return true;
  return (
    incident.cause.service !== before.cause.service ||
    SEVERITIES.indexOf(incident.severity) > SEVERITIES.indexOf(before.severity)
  );
}

const TITLES: Readonly<Record<Incident['state'], string>> = {
  open: 'New incident',
  updated: 'Incident changed',
  reopened: 'Incident again',
  resolved: 'Incident over',
  stale: 'Incident without traffic',
  expired: 'Incident taken for normal',
};
const COLOURS: Readonly<Record<Incident['severity'], string>> = {
  critical: '#c62828',
  major: '#ef6c00',
  minor: '#f9a825',
  warning: '#757575',
};
const TRACES_MAX = 3;

/** Names come from spans: nothing of them may become a mention or a link. */
function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

function hit({ blast }: Incident): string {
  const { affectedRequests, totalRequests } = blast;
  return totalRequests === 0 ? 'none known' : `${affectedRequests} of ${totalRequests}`;
}
