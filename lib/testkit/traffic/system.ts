import type { Attributes, Scope } from './otlp-encode.ts';
import type { SeededRandom } from './random.ts';

/**
 * The four-node system: api-gateway → backend-service → database, and the cache that backend-service writes through.
 * The gateway and the backend are instrumented, each with several instances; database and cache send no spans.
 */
export const GATEWAY = 'api-gateway';
export const BACKEND = 'backend-service';
export const DATABASE = 'database';
export const CACHE = 'cache';

/** One process of an instrumented service. */
export interface Instance {
  readonly service: typeof GATEWAY | typeof BACKEND;
  readonly id: string;
  readonly resource: Attributes;
}

export function gatewayInstances(random: SeededRandom): Instance[] {
  return ['a', 'b'].map((zone) => gatewayInstance(random, zone));
}

export function backendInstances(random: SeededRandom): Instance[] {
  return ['a', 'b', 'c'].map((zone) => backendInstance(random, zone));
}

/** Instrumentation libraries, by what they trace. */
export const SCOPES = {
  gatewayHttp: { name: '@opentelemetry/instrumentation-http', version: '0.205.0' },
  backendServer: { name: 'io.opentelemetry.tomcat-10.0', version: '2.20.0-alpha' },
  backendDatabase: { name: 'io.opentelemetry.jdbc', version: '2.20.0-alpha' },
  backendCache: { name: 'io.opentelemetry.lettuce-5.1', version: '2.20.0-alpha' },
  backendCode: { name: 'shop.orders', version: '4.7.1' },
} satisfies Record<string, Scope>;

function gatewayInstance(random: SeededRandom, zone: string): Instance {
  const pod = `${GATEWAY}-6f7c9b8d54-${podSuffix(random)}`;
  const id = uuid(random);
  return {
    service: GATEWAY,
    id,
    resource: {
      'service.name': GATEWAY,
      'service.namespace': 'shop',
      'service.version': '2.14.0',
      'service.instance.id': id,
      ...platform(random, GATEWAY, pod, zone),
      'process.pid': 1,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': '24.8.0',
      'process.command_args': ['node', '/app/server.js'],
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': '2.1.0',
    },
  };
}

function backendInstance(random: SeededRandom, zone: string): Instance {
  const pod = `${BACKEND}-5d4b8cf7c9-${podSuffix(random)}`;
  const id = uuid(random);
  return {
    service: BACKEND,
    id,
    resource: {
      'service.name': BACKEND,
      'service.namespace': 'shop',
      'service.version': '4.7.1',
      'service.instance.id': id,
      ...platform(random, BACKEND, pod, zone),
      'process.pid': 1,
      'process.runtime.name': 'OpenJDK Runtime Environment',
      'process.runtime.version': '21.0.8+9-LTS',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.language': 'java',
      'telemetry.sdk.version': '1.54.0',
      'telemetry.distro.name': 'opentelemetry-java-instrumentation',
      'telemetry.distro.version': '2.20.0',
    },
  };
}

function platform(random: SeededRandom, deployment: string, pod: string, zone: string): Attributes {
  return {
    'deployment.environment.name': 'demo',
    'host.name': pod,
    'host.arch': 'amd64',
    'os.type': 'linux',
    'container.id': random.hex(32),
    'container.image.name': `shop/${deployment}`,
    'k8s.cluster.name': 'shop-eu-1',
    'k8s.namespace.name': 'shop',
    'k8s.deployment.name': deployment,
    'k8s.pod.name': pod,
    'k8s.pod.uid': uuid(random),
    'k8s.container.name': deployment,
    'k8s.node.name': `node-1${zone}`,
    'cloud.region': 'eu-west-1',
    'cloud.availability_zone': `eu-west-1${zone}`,
  };
}

function podSuffix(random: SeededRandom): string {
  return Array.from({ length: 5 }, () => random.pick([...'bcdfghjklmnpqrstvwxz2456789'])).join('');
}

/** Version 4, so that the version and variant digits are right. */
function uuid(random: SeededRandom): string {
  const hex = random.hex(16);
  const variant = random.pick(['8', '9', 'a', 'b']);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
