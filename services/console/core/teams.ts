/**
 * Who owns which service.
 *
 * @param entries `service=team`; a service that ends in `*` stands for all that begin so. The first that fits counts.
 */
export function teamsOf(entries: readonly string[]): (service: string) => string | null {
  const rules = entries.map((entry) => {
    const at = entry.lastIndexOf('=');
    const pattern = entry.slice(0, at).trim();
    const team = entry.slice(at + 1).trim();
    const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
    return { team, fits: (name: string) => (prefix === undefined ? name === pattern : name.startsWith(prefix)) };
  });
  return (service) => rules.find(({ fits }) => fits(service))?.team ?? null;
}
