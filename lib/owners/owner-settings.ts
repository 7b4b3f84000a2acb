import { parse } from 'yaml';
import { text } from '../config/settings.ts';
import { describeError } from '../errors/spanloom-error.ts';
import { readOwnership } from './ownership.ts';

/** For services that tell people whom something concerns. */
export const ownerSettings = {
  SERVICE_OWNERS: text({
    default: 'services: {}',
    allowed: 'YAML',
    description:
      'Which team owns which service, in YAML: `services:` with `name: team` for each, where `payments-*` stands for all names that begin so; usually a file, by SERVICE_OWNERS_FILE. Incidents name the team that owns the cause and those that are hit, and the console filters by team. Of services that are not in it, what their resources say counts (GRAPH_OWNER_ATTRIBUTE).',
    check: ({ SERVICE_OWNERS: declared }) => {
      const { mistakes } = ownersOf(declared as string);
      return mistakes.length === 0 ? undefined : `SERVICE_OWNERS: ${mistakes.join('; ')}.`;
    },
  }),
} as const;

/** The teams that SERVICE_OWNERS declares, or what is wrong with it. */
export function ownersOf(declared: string): ReturnType<typeof readOwnership> {
  try {
    return readOwnership(parse(declared));
  } catch (error) {
    return { teams: new Map(), mistakes: [`it is no YAML: ${describeError(error).split('\n')[0]}`] };
  }
}
