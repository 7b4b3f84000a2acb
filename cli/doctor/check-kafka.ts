import { acquireLinks } from '../../lib/kafka/broker-links.ts';
import { protocolRequest } from '../../lib/kafka/kafkajs-internals.ts';
import { plural } from '../format.ts';
import { connectKafka } from '../kafka/connect.ts';
import { type Check, type Environment, failedCheck } from './check.ts';

/** That a broker answers, which others it knows, and about which version they are of. */
export async function checkKafka(env: Environment): Promise<Check> {
  const name = 'kafka';
  try {
    const { kafka, settings } = connectKafka(env, undefined);
    const admin = kafka.admin();
    const links = acquireLinks(kafka);
    try {
      await admin.connect();
      const { brokers } = await admin.describeCluster();
      const { apiVersions } = await links.sendToAny(protocolRequest<ApiVersionsResponse>('ApiVersions', 2, {}));
      const addresses = brokers.map(({ host, port }) => `${host}:${port}`).join(', ');
      const detail = `${settings.KAFKA_BROKERS.join(',')}: ${plural(brokers.length, 'broker')} (${addresses}), Kafka ${about(apiVersions)}`;
      return { name, ok: true, detail };
    } finally {
      await Promise.all([admin.disconnect(), links.release()]);
    }
  } catch (error) {
    return failedCheck(
      name,
      error,
      'Start Kafka, or set KAFKA_BROKERS (and KAFKA_TLS, KAFKA_SASL_… if it asks for them).',
    );
  }
}

interface ApiVersionsResponse {
  readonly apiVersions: readonly {
    readonly apiKey: number;
    readonly minVersion: number;
    readonly maxVersion: number;
  }[];
}

/** Brokers do not tell their version; what they can do tells it roughly. */
function about(versions: ApiVersionsResponse['apiVersions']): string {
  const of = (apiKey: number) => versions.find((version) => version.apiKey === apiKey);
  // 4.0 took away the oldest Produce versions (KIP-896); 3.1 brought topic ids to Fetch (13).
  if ((of(PRODUCE)?.minVersion ?? 0) >= 3) return '4.0 or later';
  return (of(FETCH)?.maxVersion ?? 0) >= 13 ? '3.1 or later' : 'older than 3.1';
}

const PRODUCE = 0;
const FETCH = 1;
