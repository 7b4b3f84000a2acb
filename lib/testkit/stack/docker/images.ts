/** Published images of the servers, the same as in docker-compose.yml (a test compares them). */
export const KAFKA_IMAGE = 'apache/kafka:4.2.0';
export const REDIS_IMAGE = 'redis:7.4.7-alpine';
export const VERSITYGW_IMAGE = 'versity/versitygw:v1.8.0';

/** The image turns KAFKA_MESSAGE_MAX_BYTES into message.max.bytes, and so on. */
export function kafkaImageEnvironment(properties: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [
      `KAFKA_${name.replaceAll('.', '_').toUpperCase()}`,
      String(value),
    ]),
  );
}
