/** Which team owns which service, as declared: a service by its name, or all whose names begin so (`payments-*`). */
export class Ownership {
  private readonly byName = new Map<string, string>();
  /** Longest first. */
  private readonly byStart: [start: string, team: string][] = [];

  constructor(teams: ReadonlyMap<string, string> = new Map()) {
    for (const [service, team] of teams) {
      if (service.endsWith('*')) this.byStart.push([service.slice(0, -1), team]);
      else this.byName.set(service, team);
    }
    this.byStart.sort(([a], [b]) => b.length - a.length);
  }

  /** Empty when nobody is declared. */
  teamOf(service: string): string {
    return this.byName.get(service) ?? this.byStart.find(([start]) => service.startsWith(start))?.[1] ?? '';
  }
}

/**
 * @param declared what services.yaml holds: `services:` with a team for each name.
 * @returns the teams by service, or a sentence for each mistake.
 */
export function readOwnership(declared: unknown): { teams: Map<string, string>; mistakes: string[] } {
  const teams = new Map<string, string>();
  const mistakes: string[] = [];
  const services = isRecord(declared) ? declared['services'] : undefined;
  if (!isRecord(services)) return { teams, mistakes: ["it must have 'services:' with a team for each service"] };
  const others = Object.keys(declared as object).filter((key) => key !== 'services');
  if (others.length > 0) mistakes.push(`it does not take ${others.join(', ')}`);
  for (const [service, team] of Object.entries(services)) {
    if (service === '' || service.slice(0, -1).includes('*')) {
      mistakes.push(`'${service}' is no name of a service; * may only be its end`);
    } else if (typeof team !== 'string' || team.trim() === '' || team.length > TEAM_LENGTH_MAX) {
      mistakes.push(`the team of ${service} must be a text of at most ${TEAM_LENGTH_MAX} characters`);
    } else {
      teams.set(service, team.trim());
    }
  }
  return { teams, mistakes };
}

const TEAM_LENGTH_MAX = 100;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
