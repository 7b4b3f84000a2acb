import { createHmac } from 'node:crypto';
import type { Incident } from '../../../lib/codec/incident-records.ts';

/**
 * A signed announcement by the Standard Webhooks specification (standardwebhooks.com), for which there are libraries to
 * verify with in most languages. `webhook-id` is `<incident id>:<seq>`: the same announcement always has the same one.
 */
export function webhookMessage(
  incident: Incident,
  secret: string,
  nowMs: number,
): { headers: Record<string, string>; body: string } {
  const id = `${incident.incidentId}:${incident.seq}`;
  const seconds = String(Math.floor(nowMs / 1000));
  const body = JSON.stringify({
    type: `incident.${incident.state}`,
    timestamp: new Date(incident.updatedAt / 1000).toISOString(),
    data: incident,
  });
  return {
    headers: {
      'webhook-id': id,
      'webhook-timestamp': seconds,
      'webhook-signature': `v1,${signature(id, seconds, body, secret)}`,
    },
    body,
  };
}

/** The `webhook-signature` of the specification, without its version. */
export function signature(id: string, seconds: string, body: string, secret: string): string {
  return createHmac('sha256', keyOf(secret)).update(`${id}.${seconds}.${body}`).digest('base64');
}

/** The specification writes keys as base64 after `whsec_`; any other secret is its own bytes. */
function keyOf(secret: string): Buffer {
  return secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret);
}

const PREFIX = 'whsec_';
