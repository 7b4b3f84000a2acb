import type { Ownership } from '../../../lib/owners/ownership.ts';

/** Who owns which service: as declared, else as its own resource said last. */
export class Teams {
  private readonly declared: Ownership;
  private readonly observed = new Map<string, string>();

  constructor(declared: Ownership) {
    this.declared = declared;
  }

  observe(service: string, team: string): void {
    if (this.observed.has(service) || this.observed.size < SERVICES_MAX) this.observed.set(service, team);
  }

  readonly of = (service: string): string | null =>
    this.declared.teamOf(service) || (this.observed.get(service) ?? null);
}

const SERVICES_MAX = 20_000;
