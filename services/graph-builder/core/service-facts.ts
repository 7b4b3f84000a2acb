import { cleanText } from './clean-name.ts';

/**
 * What resources say of their service besides its name: the versions that were met since the last commit, and the team
 * that owns it. Compared by bytes, so that text is made only of what is new.
 */
export class ServiceFacts {
  private readonly byService = new Map<number, Facts>();

  /** @param bytes,from,to where the value stands. */
  noteVersion(service: number, bytes: Buffer, from: number, to: number): void {
    const { versions } = this.factsOf(service);
    for (const version of versions) {
      if (!isSame(version.bytes, bytes, from, to)) continue;
      version.isMet = true;
      return;
    }
    const gone = versions.findIndex(({ isMet }) => !isMet);
    if (versions.length >= VERSIONS_MAX && gone >= 0) versions.splice(gone, 1);
    if (versions.length < VERSIONS_MAX) versions.push({ ...noted(bytes, from, to), isMet: true });
  }

  noteOwner(service: number, bytes: Buffer, from: number, to: number): void {
    const facts = this.factsOf(service);
    if (!isSame(facts.owner.bytes, bytes, from, to)) facts.owner = noted(bytes, from, to);
  }

  /** Versions met since the last commit, and the owner, or empty. */
  of(service: number): { readonly versions: string[]; readonly owner: string } {
    const facts = this.byService.get(service);
    if (facts === undefined) return { versions: [], owner: '' };
    const versions = facts.versions.filter(({ isMet, text }) => isMet && text !== '').map(({ text }) => text);
    return { versions, owner: facts.owner.text };
  }

  committed(): void {
    for (const { versions } of this.byService.values()) for (const version of versions) version.isMet = false;
  }

  /** Numbers of services given before are void. */
  clear(): void {
    this.byService.clear();
  }

  private factsOf(service: number): Facts {
    let facts = this.byService.get(service);
    if (facts === undefined) {
      facts = { versions: [], owner: { bytes: Buffer.alloc(0), text: '' } };
      this.byService.set(service, facts);
    }
    return facts;
  }
}

interface Value {
  readonly bytes: Buffer;
  readonly text: string;
}

interface Facts {
  versions: (Value & { isMet: boolean })[];
  owner: Value;
}

/** Of one service between two commits; a service that runs more at once has other worries. */
const VERSIONS_MAX = 4;
const CHARACTERS_MAX = 60;
const BYTES_MAX = 256;

function isSame(known: Buffer, bytes: Buffer, from: number, to: number): boolean {
  return known.length === Math.min(to - from, BYTES_MAX) && known.compare(bytes, from, from + known.length) === 0;
}

function noted(bytes: Buffer, from: number, to: number): Value {
  const own = Buffer.from(bytes.subarray(from, Math.min(to, from + BYTES_MAX)));
  return { bytes: own, text: cleanText(own.toString('utf8'), CHARACTERS_MAX) };
}
