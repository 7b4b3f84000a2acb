import { verifyArchive } from '../../lib/archive/verify.ts';
import { Archive } from '../archive/open-archive.ts';
import { defineCommand, oneOf } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { plural } from '../format.ts';

export const command = defineCommand({
  name: 'archive',
  summary: 'Checks that the bucket holds what the chain says: tiling of offsets, objects, row counts.',
  positionals: 'verify',
  positionalsMin: 1,
  positionalsMax: 1,
  options: {},
  details: `Reads the chain and the footer of every object it names. Exit code 1: the chain itself is broken. 2: objects
are missing, damaged, foreign, or hold another number of rows; each is named.`,
  examples: ['spanloom archive verify'],
  run(_values, [action], io) {
    oneOf(action as string, 'The action', ['verify']);
    return Archive.with(io, async (archive) => {
      const seen = await verifyArchive(archive.bucket, archive.prefix, archive.onProblem);
      const gaps = seen.lostObjects === 0 ? '' : `, ${plural(seen.lostObjects, 'object')} lost and recorded as gaps`;
      io.out(
        `${plural(seen.entries, 'entry').replace(/entrys$/, 'entries')}, ${plural(seen.objects, 'object')}, ${plural(seen.spans, 'span')}, ${plural(seen.traces, 'trace record')}${gaps}.`,
      );
      return EXIT.ok;
    });
  },
});
