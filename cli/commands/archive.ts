import { compactCommand } from '../archive/compact.ts';
import { Archive, RANGE_OPTIONS } from '../archive/open-archive.ts';
import { verifyCommand } from '../archive/verify.ts';
import { defineCommand, oneOf } from '../command.ts';

export const command = defineCommand({
  name: 'archive',
  summary: 'Checks the archive against its chain, or merges small objects into large ones.',
  positionals: 'verify|compact',
  positionalsMin: 1,
  positionalsMax: 1,
  options: {
    since: { ...RANGE_OPTIONS.since, description: 'compact: hours from then on: 30d or ISO. Default: 7d.' },
    until: { ...RANGE_OPTIONS.until, description: 'compact: hours before then. Default: now.' },
    'older-than': {
      type: 'string',
      value: 'TIME',
      description: 'compact: hours that ended so long ago, so that late traces are in. Default: 2h.',
    },
    'dry-run': { type: 'boolean', description: 'compact: says what would be merged, and changes nothing.' },
  },
  details: `verify reads the chain and every page of every object that it names, counts rows and digests them anew. Exit code 1:
the chain itself is broken. 2: objects are missing, damaged, foreign, or hold other rows; each is named.
compact merges each hour's objects into ones of 32 MiB or more below spans_compacted/ and traces_compacted/.
Objects that were merged stay, for lifecycle rules to expire; every reader of Spanloom counts each
row once meanwhile. It may be killed, run again, and run twice at once. Run it every hour.`,
  examples: [
    'spanloom archive verify',
    'spanloom archive compact --dry-run',
    'spanloom archive compact --older-than 6h --since 30d',
  ],
  run(values, [action], io) {
    const chosen = oneOf(action as string, 'The action', ['verify', 'compact']);
    return Archive.with(io, (archive) =>
      chosen === 'verify' ? verifyCommand(archive, io) : compactCommand(archive, values, io),
    );
  },
});
