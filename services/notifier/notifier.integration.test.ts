import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Producer } from 'kafkajs';
import { type Incident, incidentCodec } from '../../lib/codec/incident-records.ts';
import { deadLetterCodec } from '../../lib/codec/records.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { Receiver } from '../../lib/testkit/http-receiver.ts';
import { incidentRecord } from '../../lib/testkit/incident-record.ts';
import { topicNames } from '../../lib/topics/topics.ts';
import { type ServiceUnderTest, startService } from '../../test/support/service.ts';
import { testStack, uniquePrefix } from '../../test/support/stack.ts';
import { readTopic, waitForRecords } from '../../test/support/topic.ts';
import type { AlertmanagerAlert } from './core/alertmanager.ts';
import { signature } from './core/webhook.ts';
import { notifier } from './main.ts';

const SECRET = 'a-secret-of-at-least-24-characters';
let producer: Producer;
const started: ServiceUnderTest[] = [];
const receivers: Receiver[] = [];

beforeAll(async () => {
  producer = createKafka({ brokers: testStack().kafka, clientId: 'test-alerter' }).producer();
  await producer.connect();
});

afterEach(async () => {
  for (const service of started.splice(0)) await service.stop();
  for (const receiver of receivers.splice(0)) await receiver.stop();
});

afterAll(() => producer.disconnect());

async function receiver(): Promise<Receiver> {
  const made = await new Receiver().start();
  receivers.push(made);
  return made;
}

function pipeline(name: string) {
  const prefix = uniquePrefix(name);
  const topics = topicNames(prefix);
  return {
    async start(sinks: readonly object[], env: Readonly<Record<string, string>> = {}) {
      const service = await startService(notifier, {
        SPANLOOM_PREFIX: prefix,
        PARTITIONS: '1',
        NOTIFY_SINKS: JSON.stringify(sinks),
        NOTIFY_ALLOW_ADDRESSES: '127.0.0.0/8',
        NOTIFY_RETRY_MS: '50',
        NOTIFY_RETRY_MAX_MS: '200',
        ...env,
      });
      started.push(service);
      // Whoever is at work has a position: what is announced from now on is told.
      await waitFor(async () => (await active(service)) === sinks.length);
      return service;
    },
    stop: async (service: ServiceUnderTest) => {
      started.splice(started.indexOf(service), 1);
      await service.stop();
    },
    announce: (...incidents: readonly Partial<Incident>[]) =>
      producer.send({
        topic: topics.incidents,
        messages: incidents.map((fields) => {
          const now = Date.now() * 1000;
          const incident = incidentRecord({ openedAt: now, updatedAt: now, ...fields });
          return { key: incident.incidentId, value: incidentCodec.encode(incident) };
        }),
      }),
    deadLetters: async () =>
      (await readTopic(topics.deadLetters, 1)).map(({ key, value }) => ({
        ...deadLetterCodec.decode(value as Buffer),
        key: key?.toString().slice(topics.incidents.length),
      })),
  };
}

const waitFor = (isTrue: () => Promise<boolean> | boolean) => waitForRecords(async () => isTrue(), Boolean);

async function active(service: ServiceUnderTest): Promise<number> {
  const text = await service.metrics.registry.getSingleMetricAsString('spanloom_notifier_active');
  return [...text.matchAll(/ 1$/gm)].length;
}

const webhookSink = ({ url }: Receiver, fields = {}) => ({
  name: 'hook',
  kind: 'webhook',
  url,
  secret: SECRET,
  ...fields,
});
const told = ({ received }: Receiver) => received.map(({ headers }) => headers['webhook-id']);
const alertsOf = (body: unknown) => (body as AlertmanagerAlert[]).map(({ labels }) => labels['incident']);

describe('notifier', () => {
  it('tells an Alertmanager, a webhook and a chat what happens from now on, each in its own form', async () => {
    const [alertmanager, hook, chat] = [await receiver(), await receiver(), await receiver()];
    const { start, stop, announce } = pipeline('notifier');
    await stop(await start([{ ...webhookSink(hook), name: 'makes-topics' }]));
    await announce({ incidentId: 'old1' }, { incidentId: 'old2' }, { incidentId: 'old2', seq: 2, state: 'resolved' });
    await start(
      [
        { name: 'am', kind: 'alertmanager', url: `${alertmanager.url}/prefix/`, authorization: 'Bearer token' },
        webhookSink(hook),
        { name: 'chat', kind: 'slack', url: `${chat.url}/T/B/x`, severity: 'major' },
      ],
      { NOTIFY_RESEND_MS: '500' },
    );
    await announce({ incidentId: 'new1' }, { incidentId: 'new2', severity: 'minor', worstSeverity: 'minor' });
    await announce({ incidentId: 'new1', seq: 2, state: 'updated' }, { incidentId: 'new1', seq: 3, state: 'resolved' });

    await waitFor(() => hook.received.length === 4);
    expect(told(hook)).toEqual(['new1:1', 'new2:1', 'new1:2', 'new1:3']);
    for (const { headers, body } of hook.received) {
      const signed = signature(`${headers['webhook-id']}`, `${headers['webhook-timestamp']}`, body, SECRET);
      expect(headers['webhook-signature']).toBe(`v1,${signed}`);
    }
    await waitFor(() => chat.received.length === 2);
    expect(chat.bodies()).toMatchObject([
      { text: expect.stringContaining('New incident') },
      { text: expect.stringContaining('Incident over') },
    ]);
    // What fired before it came is told to a holder of state, and told again while it fires.
    await waitFor(() => alertsOf(alertmanager.bodies().at(-1)).join() === 'old1,new2');
    const calls = alertmanager.received.length;
    await waitFor(() => alertmanager.received.length >= calls + 2);
    expect(alertsOf(alertmanager.bodies().at(-1))).toEqual(['old1', 'new2']);
    expect(alertmanager.received[0]).toMatchObject({
      path: '/prefix/api/v2/alerts',
      headers: { authorization: 'Bearer token', 'content-type': 'application/json' },
    });
    const sent = alertmanager.bodies().flat() as AlertmanagerAlert[];
    const ended = sent.findLast(({ labels }) => labels['incident'] === 'new1');
    expect(Date.parse(`${ended?.endsAt}`)).toBeLessThanOrEqual(Date.now());
  });

  it('holds nobody up for a sink that hangs, and tries again until it answers, then goes on in order', async () => {
    const [slow, quick] = [await receiver(), await receiver()];
    slow.answers = ['never', { status: 503 }, { status: 429, headers: { 'retry-after': '1' } }];
    const { start, announce } = pipeline('notifier-slow');
    const service = await start(
      [
        { ...webhookSink(slow), name: 'slow' },
        { ...webhookSink(quick), name: 'quick' },
      ],
      {
        NOTIFY_TIMEOUT_MS: '1000',
      },
    );
    const ids = Array.from({ length: 5 }, (_, i) => `id${i}`);
    await announce(...ids.map((incidentId) => ({ incidentId })));
    await waitFor(() => quick.received.length === 5);
    expect(told(slow).every((id) => id === 'id0:1')).toBe(true);
    await waitFor(() => slow.received.length === 8);
    expect(told(slow)).toEqual(['id0:1', 'id0:1', 'id0:1', 'id0:1', 'id1:1', 'id2:1', 'id3:1', 'id4:1']);
    const metrics = await service.metrics.registry.metrics();
    expect(metrics).toContain('spanloom_notifier_failed_attempts_total{sink="slow"} 3');
    expect(metrics).toContain('spanloom_notifier_delivered_total{sink="quick"} 5');
  });

  it('goes on after a restart where it was', async () => {
    const hook = await receiver();
    const { start, stop, announce } = pipeline('notifier-restart');
    const first = await start([webhookSink(hook)]);
    await announce({ incidentId: 'aa' });
    await waitFor(() => hook.received.length === 1);
    await stop(first);
    await announce({ incidentId: 'bb' }, { incidentId: 'cc' });
    await start([webhookSink(hook)]);
    await waitFor(() => hook.received.length >= 3);
    expect(told(hook)).toEqual(['aa:1', 'bb:1', 'cc:1']);
  });

  it('makes a dead letter of what is refused, follows no redirect, and goes on', async () => {
    const [hook, elsewhere] = [await receiver(), await receiver()];
    hook.answers = [{ status: 410 }, { status: 302, headers: { location: elsewhere.url } }];
    const { start, announce, deadLetters } = pipeline('notifier-refused');
    await start([webhookSink(hook)]);
    await announce({ incidentId: 'aa' }, { incidentId: 'bb' }, { incidentId: 'cc' });
    await waitFor(() => hook.received.length === 3);
    expect(told(hook)).toEqual(['aa:1', 'bb:1', 'cc:1']);
    const letters = await waitForRecords(deadLetters, (found) => found.length >= 2);
    expect(letters).toMatchObject([
      {
        key: '/0/0/hook',
        reason: 'notification_refused',
        code: 'NOTIFY_REFUSED',
        detail: expect.stringMatching(/410/),
      },
      { key: '/0/1/hook', detail: expect.stringMatching(/302; redirects are not followed/) },
    ]);
    expect(elsewhere.received).toEqual([]);
  });

  it.each(['127.0.0.1', 'localhost'])('connects to no private address by %s, and gives up in time', async (host) => {
    const hook = await receiver();
    const { start, announce, deadLetters } = pipeline('notifier-private');
    const url = hook.url.replace('127.0.0.1', host);
    const service = await start([{ ...webhookSink(hook), url }], {
      NOTIFY_ALLOW_ADDRESSES: 'none',
      NOTIFY_AGE_MAX_MS: '1500',
    });
    await announce({ incidentId: 'aa' });
    const letters = await waitForRecords(deadLetters, (found) => found.length >= 1);
    expect(letters).toMatchObject([{ reason: 'notification_too_old', code: 'NOTIFY_TOO_OLD' }]);
    expect(hook.received).toEqual([]);
    expect(service.warnings.join('\n')).toMatch(/in a private or special address range/);
    expect(service.warnings.join('\n')).not.toContain(SECRET);
  });
});
