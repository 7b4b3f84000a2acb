import { UsageError } from '../command.ts';
import { SERVICES, type ServiceName } from '../services.ts';

/** Options of commands that run the services. */
export const SCALE_OPTIONS = {
  only: {
    type: 'string',
    value: 'A,B',
    description: `Runs these services only. There are:\n${SERVICES.join(', ')}.`,
  },
  scale: {
    type: 'string',
    multiple: true,
    value: 'NAME=N',
    description: 'Runs N processes of a service; can be given several times.',
  },
} as const;

/**
 * How many processes of which service; what tells or forwards only when it is named or the environment says to whom.
 * @throws UsageError
 */
export function servicesToRun(
  only: string | undefined,
  scale: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Map<ServiceName, number> {
  const isAskedFor = (name: ServiceName) => ONLY_WITH[name]?.some((setting) => Boolean(env[setting])) ?? true;
  const chosen =
    only === undefined ? SERVICES.filter(isAskedFor) : only.split(',').map((name) => serviceName(name, '--only'));
  const counts = new Map<ServiceName, number>();
  for (const name of SERVICES) if (chosen.includes(name)) counts.set(name, 1);
  for (const item of scale) {
    const [name = '', number = ''] = item.split('=');
    const service = serviceName(name, '--scale');
    if (!/^\d+$/.test(number) || Number(number) > PROCESSES_MAX) {
      throw new UsageError(`--scale takes NAME=N with N from 0 to ${PROCESSES_MAX}, not '${item}'.`);
    }
    if (!counts.has(service)) throw new UsageError(`--scale names ${service}, which --only leaves out.`);
    if (ONE_OR_NONE.has(service) && Number(number) > 1) {
      throw new UsageError(`--scale: there is one ${service}, or none.`);
    }
    counts.set(service, Number(number));
  }
  return counts;
}

/** Services that have nothing to do unless one of these settings is there. */
const ONLY_WITH: Readonly<Partial<Record<ServiceName, readonly string[]>>> = {
  notifier: ['NOTIFY_SINKS', 'NOTIFY_SINKS_FILE'],
  forwarder: ['FORWARD_DESTINATIONS_PATH', 'FORWARD_DESTINATIONS_PATH_FILE'],
};

function serviceName(name: string, option: string): ServiceName {
  const found = SERVICES.find((service) => service === name.trim());
  if (found === undefined)
    throw new UsageError(`${option}: there is no service '${name}'; there are ${SERVICES.join(', ')}.`);
  return found;
}

const PROCESSES_MAX = 32;
/** The console keeps its stores in one folder; the collector has ports that are known. */
const ONE_OR_NONE: ReadonlySet<ServiceName> = new Set(['console', 'collector']);
