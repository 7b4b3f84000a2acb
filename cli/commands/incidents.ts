import { incidentCodec } from '../../lib/codec/incident-records.ts';
import { colours } from '../colours.ts';
import { defineCommand, oneOf, UsageError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { FIRING_STATES, INCIDENT_STATES, NewestIncidents } from '../incidents/newest-incidents.ts';
import { parseSince } from '../incidents/parse-since.ts';
import { incidentLine, incidentStory } from '../incidents/words.ts';
import { connectKafka } from '../kafka/connect.ts';
import { openTopic } from '../kafka/open-topic.ts';
import { tailTopic } from '../kafka/tail-topic.ts';
import { stopSignal } from '../stop-signal.ts';
import { incidentJson } from '../tail/json.ts';

export const command = defineCommand({
  name: 'incidents',
  summary: 'Lists incidents, newest first, or tells one in words.',
  positionals: '[ID]',
  positionalsMin: 0,
  positionalsMax: 1,
  options: {
    state: {
      type: 'string',
      value: 'STATE',
      description: `firing (those that go on), or one of ${INCIDENT_STATES.join(', ')}.`,
    },
    since: {
      type: 'string',
      value: 'TIME',
      description: 'Only those announced since then: 90s, 15m, 2h, 7d ago, or an ISO 8601 time.',
    },
    output: {
      type: 'string',
      short: 'o',
      value: 'FORMAT',
      description: 'text (default) or json: one object per line.',
    },
    bootstrap: { type: 'string', value: 'HOST:PORT', description: 'A Kafka broker. Default: KAFKA_BROKERS.' },
  },
  details: `Reads the incidents topic once, committed records only, and shows each incident as last announced.
ID may be the beginning of an incident's id, as long as only one begins so.`,
  examples: [
    'spanloom incidents --state firing',
    'spanloom incidents 00f067aa',
    "spanloom incidents --since 2h -o json | jq -r '.cause.service'",
  ],
  async run(values, [id], io) {
    const asJson = oneOf(values.output ?? 'text', '--output', ['text', 'json']) === 'json';
    const state =
      values.state === undefined ? undefined : oneOf(values.state, '--state', ['firing', ...INCIDENT_STATES]);
    const sinceMs = values.since === undefined ? undefined : parseSince(values.since, Date.now());
    if (values.since !== undefined && sinceMs === undefined) {
      throw new UsageError(`--since must be like 15m, 2h or 2026-01-31T12:00Z, not '${values.since}'.`, 'incidents');
    }
    const { kafka, topics } = connectKafka(io.env, values.bootstrap);
    const newest = new NewestIncidents();
    const { logs, close } = await openTopic(kafka, topics.incidents);
    try {
      await tailTopic({
        logs,
        from: 'start',
        untilEnd: true,
        signal: stopSignal(),
        onRecord: ({ value }) => {
          if (value !== null) newest.add(incidentCodec.decode(value));
        },
      });
    } finally {
      await close();
    }
    const paint = colours(io.colour);
    if (id !== undefined) {
      const found = newest.startingWith(id);
      const [incident] = found;
      if (incident === undefined || found.length > 1) {
        io.say(
          incident === undefined
            ? `spanloom: no incident's id begins with '${id}'; 'spanloom incidents' lists all.`
            : `spanloom: ${found.length} incidents begin with '${id}'; give more of the id.`,
        );
        return EXIT.failed;
      }
      io.out(asJson ? incidentJson(incident) : incidentStory(incident, paint, io.columns()));
      return EXIT.ok;
    }
    const states = state === undefined ? undefined : state === 'firing' ? FIRING_STATES : [state];
    const listed = newest.list({
      ...(states === undefined ? {} : { states }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    });
    for (const incident of listed) io.out(asJson ? incidentJson(incident) : incidentLine(incident, paint));
    if (listed.length === 0) io.say('No incident.');
    return EXIT.ok;
  },
});
