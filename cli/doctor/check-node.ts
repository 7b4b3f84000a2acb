import type { Check } from './check.ts';

/** zstd in node:zlib came with 22.15. */
export async function checkNode(): Promise<Check> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const ok = major > 22 || (major === 22 && minor >= 15);
  const detail = `Node ${process.versions.node}`;
  return ok
    ? { name: 'node', ok, detail }
    : { name: 'node', ok, detail, advice: 'Use Node 24, or at least 22.15: older ones lack zstd.' };
}
