import { describe, expect, it } from '@jest/globals';
import { chooseProvider } from './choose-provider.ts';
import { STACK_SERVICES } from './types.ts';

const noDocker = async () => false;
const docker = async () => true;
const unasked = async (): Promise<boolean> => {
  throw new Error('Docker was asked for although it does not matter');
};

describe('choosing where Kafka, Redis and S3 come from', () => {
  it('takes addresses from the environment, and then asks for nothing else', async () => {
    const env = { KAFKA_BROKERS: 'k:9092', REDIS_URL: 'redis://r:6379', S3_ENDPOINT: 'http://s:7070' };
    expect(await chooseProvider({ env, services: STACK_SERVICES, dockerAnswers: unasked })).toEqual({
      fromEnvironment: ['kafka', 'redis', 's3'],
      toStart: [],
      provider: 'environment',
    });
  });

  it('decides service by service: one address given, the others started', async () => {
    const env = { REDIS_URL: 'redis://r:6379', S3_ENDPOINT: '' };
    expect(await chooseProvider({ env, services: STACK_SERVICES, dockerAnswers: noDocker })).toEqual({
      fromEnvironment: ['redis'],
      toStart: ['kafka', 's3'],
      provider: 'native',
    });
  });

  it('prefers Docker to native processes when its daemon answers', async () => {
    const choice = await chooseProvider({ env: {}, services: ['kafka'], dockerAnswers: docker });
    expect(choice).toEqual({ fromEnvironment: [], toStart: ['kafka'], provider: 'docker' });
  });

  it.each(['native', 'docker'] as const)('obeys SPANLOOM_STACK=%s without asking Docker', async (forced) => {
    const env = { SPANLOOM_STACK: forced };
    const choice = await chooseProvider({ env, services: ['redis'], dockerAnswers: unasked });
    expect(choice.provider).toBe(forced);
  });

  it('lets an address win over SPANLOOM_STACK', async () => {
    const env = { SPANLOOM_STACK: 'docker', KAFKA_BROKERS: 'k:9092' };
    const choice = await chooseProvider({ env, services: ['kafka', 's3'], dockerAnswers: unasked });
    expect(choice).toEqual({ fromEnvironment: ['kafka'], toStart: ['s3'], provider: 'docker' });
  });

  it('refuses another SPANLOOM_STACK in one sentence', async () => {
    const env = { SPANLOOM_STACK: 'podman' };
    await expect(chooseProvider({ env, services: ['s3'], dockerAnswers: unasked })).rejects.toMatchObject({
      code: 'STACK_SETTING_INVALID',
      message: "SPANLOOM_STACK is 'podman'; it can be 'docker' or 'native'.",
    });
  });
});
