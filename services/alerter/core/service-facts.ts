import type { SeenVersion, VersionChange } from '../../../lib/codec/incident-records.ts';
import { boundedName } from './subject.ts';

/** What is known of services besides their counts: who owns them and which versions of them were met, and when. */
export class ServiceFacts {
  private readonly byService = new Map<string, { owner: string; versions: SeenVersion[] }>();

  /** @returns whether there was anything new to keep. */
  note(service: string, { versions, owner }: { versions: readonly string[]; owner: string }, window: number): boolean {
    if (versions.length === 0 && owner === '') return false;
    let facts = this.byService.get(service);
    if (facts === undefined) {
      facts = { owner: '', versions: [] };
      this.byService.set(service, facts);
    }
    if (owner !== '') facts.owner = boundedName(owner);
    const isFirst = facts.versions.length === 0;
    for (const version of versions) see(facts.versions, boundedName(version), window, isFirst);
    return true;
  }

  ownerOf(service: string): string {
    return this.byService.get(service)?.owner ?? '';
  }

  /** Versions of these services that were met for the first time in these windows; the oldest first. */
  changes(services: Iterable<string>, fromWindow: number, toWindow: number, windowMs: number): VersionChange[] {
    const found: VersionChange[] = [];
    for (const service of new Set(services)) {
      for (const { version, firstSeen } of this.byService.get(service)?.versions ?? []) {
        if (firstSeen < fromWindow || firstSeen > toWindow) continue;
        found.push({ service, version, firstSeen: firstSeen * windowMs * 1000 });
      }
    }
    return found.sort((a, b) => a.firstSeen - b.firstSeen || (a.service < b.service ? -1 : 1)).slice(0, CHANGES_MAX);
  }

  save(service: string): { owner: string; versions: SeenVersion[] } {
    return this.byService.get(service) ?? { owner: '', versions: [] };
  }

  restore(service: string, facts: { owner: string; versions: SeenVersion[] }): void {
    if (facts.owner !== '' || facts.versions.length > 0) this.byService.set(service, facts);
  }

  forget(service: string): void {
    this.byService.delete(service);
  }
}

/** First window of a version that was there when its service was first met: since when it runs, nobody knows. */
const ALWAYS = -1;
const VERSIONS_MAX = 8;
const CHANGES_MAX = 10;
/** An hour of windows: a version that comes back after that is a change again, as a rollback is. */
const GONE_WINDOWS = 360;

function see(versions: SeenVersion[], version: string, window: number, isFirst: boolean): void {
  const known = versions.find((other) => other.version === version);
  if (known !== undefined) {
    if (window - known.lastSeen > GONE_WINDOWS) known.firstSeen = window;
    else if (known.firstSeen !== ALWAYS) known.firstSeen = Math.min(known.firstSeen, window);
    known.lastSeen = Math.max(known.lastSeen, window);
    return;
  }
  if (versions.length >= VERSIONS_MAX) {
    const oldest = versions.reduce((least, other) => (other.lastSeen < least.lastSeen ? other : least));
    versions.splice(versions.indexOf(oldest), 1);
  }
  versions.push({ version, firstSeen: isFirst ? ALWAYS : window, lastSeen: window });
}
