import { describe, expect, it } from '@jest/globals';
import { kafkaFromEnvironment, redisFromEnvironment, s3FromEnvironment, stackEnvironment } from './environment.ts';

describe('addresses in the environment', () => {
  it('read back as they were written', () => {
    const addresses = {
      kafka: ['10.0.0.1:9092', '[::1]:9093'],
      redis: 'rediss://user:secret@redis.example:6380/2',
      s3: {
        endpoint: 'https://s3.example',
        bucket: 'b',
        accessKeyId: 'id',
        secretAccessKey: 'key',
        region: 'eu-west-1',
      },
    };
    const env = stackEnvironment(addresses);
    expect(kafkaFromEnvironment(env)).toEqual(addresses.kafka);
    expect(redisFromEnvironment(env)).toBe(addresses.redis);
    expect(s3FromEnvironment(env, 'b')).toEqual(addresses.s3);
  });

  it('allow blanks after the commas between brokers', () => {
    expect(kafkaFromEnvironment({ KAFKA_BROKERS: 'a:1, b:2,' })).toEqual(['a:1', 'b:2']);
  });

  it.each(['localhost', 'kafka://localhost:9092', ' , ', 'a:1,b'])('refuse brokers %j', (value) => {
    expect(() => kafkaFromEnvironment({ KAFKA_BROKERS: value })).toThrow(/KAFKA_BROKERS is .* HOST:PORT/);
  });

  it('refuse a Redis address and an S3 endpoint without a scheme', () => {
    expect(() => redisFromEnvironment({ REDIS_URL: 'localhost:6379' })).toThrow(/REDIS_URL is 'localhost:6379'/);
    expect(() => s3FromEnvironment({ S3_ENDPOINT: 'localhost:7070' }, 'b')).toThrow(/S3_ENDPOINT is 'localhost:7070'/);
  });

  it('leave the keys empty when none are given, so that the SDK looks for them itself', () => {
    expect(s3FromEnvironment({ S3_ENDPOINT: 'http://s:1' }, 'b')).toMatchObject({
      accessKeyId: '',
      region: 'us-east-1',
    });
  });
});
