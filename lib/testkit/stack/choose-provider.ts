import { SpanloomError } from '../../errors/spanloom-error.ts';
import type { StackService } from './types.ts';

export type Provider = 'environment' | 'docker' | 'native';

export interface ProviderFacts {
  readonly env: NodeJS.ProcessEnv;
  readonly services: readonly StackService[];
  /** Asked only when it matters: the question takes a second where Docker is installed but not running. */
  dockerAnswers(): Promise<boolean>;
}

export interface ProviderChoice {
  readonly fromEnvironment: readonly StackService[];
  readonly toStart: readonly StackService[];
  /** What starts `toStart`; `environment` when that is empty. */
  readonly provider: Provider;
}

/**
 * An address in the environment wins, service by service. The others come from Docker when its daemon answers, else
 * from native processes; SPANLOOM_STACK=docker or native takes that decision.
 */
export async function chooseProvider(facts: ProviderFacts): Promise<ProviderChoice> {
  const fromEnvironment = facts.services.filter((service) => Boolean(facts.env[ADDRESS_VARIABLE[service]]));
  const toStart = facts.services.filter((service) => !fromEnvironment.includes(service));
  if (toStart.length === 0) return { fromEnvironment, toStart, provider: 'environment' };
  const forced = forcedProvider(facts.env);
  const provider = forced ?? ((await facts.dockerAnswers()) ? 'docker' : 'native');
  return { fromEnvironment, toStart, provider };
}

const ADDRESS_VARIABLE: Readonly<Record<StackService, string>> = {
  kafka: 'KAFKA_BROKERS',
  redis: 'REDIS_URL',
  s3: 'S3_ENDPOINT',
};

function forcedProvider(env: NodeJS.ProcessEnv): 'docker' | 'native' | undefined {
  const forced = env['SPANLOOM_STACK'];
  if (!forced) return undefined;
  if (forced === 'docker' || forced === 'native') return forced;
  throw new SpanloomError('STACK_SETTING_INVALID', `SPANLOOM_STACK is '${forced}'; it can be 'docker' or 'native'.`);
}
