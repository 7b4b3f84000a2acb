import type { Kafka } from 'kafkajs';
import { commonSettings, kafkaSettingsOf } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { topicNames } from '../../lib/topics/topics.ts';

/**
 * Kafka as the services' settings describe it (KAFKA_BROKERS, TLS, SASL), and the topics of SPANLOOM_PREFIX.
 *
 * @param bootstrap wins over KAFKA_BROKERS.
 * @throws ConfigError
 */
export function connectKafka(env: Readonly<Record<string, string | undefined>>, bootstrap: string | undefined) {
  const settings = readCommonSettings(bootstrap === undefined ? env : { ...env, KAFKA_BROKERS: bootstrap });
  const kafka: Kafka = createKafka(kafkaSettingsOf(settings));
  return { kafka, settings, topics: topicNames(settings.SPANLOOM_PREFIX) };
}

export function readCommonSettings(env: Readonly<Record<string, string | undefined>>) {
  return readSettings(defineSettings(commonSettings), env);
}
