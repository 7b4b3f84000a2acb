import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { KafkaFixture } from './testkit/kafka-fixture.ts';

/** As kafkajs itself has it, its queue looks for work every millisecond on each connection, whether there is any or not. */
const queue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
  prototype: { checkPendingRequests(): void };
};

let fixture: KafkaFixture;
beforeAll(async () => {
  fixture = await KafkaFixture.open('idle');
});
afterAll(() => fixture.close());

it('sleeps while no request waits', async () => {
  const producer = fixture.kafka.producer();
  await producer.connect();
  await fixture.admin.listTopics();
  const { checkPendingRequests } = queue.prototype;
  let looks = 0;
  queue.prototype.checkPendingRequests = function (this: object) {
    looks++;
    checkPendingRequests.call(this);
  };
  try {
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    expect(looks).toBe(0);
    await fixture.admin.listTopics();
    expect(looks).toBeGreaterThan(0);
  } finally {
    queue.prototype.checkPendingRequests = checkPendingRequests;
    await producer.disconnect();
  }
});

const IDLE_MS = 500;
