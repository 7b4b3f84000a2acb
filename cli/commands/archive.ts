import { verifyArchive } from '../../lib/archive/verify.ts';
import { Archive } from '../archive/open-archive.ts';
import { defineCommand, oneOf } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { byteSize, count, plural } from '../format.ts';
import { ProgressBar } from '../progress-bar.ts';

export const command = defineCommand({
  name: 'archive',
  summary: 'Checks that the bucket holds what the chain says: tiling of offsets, objects, rows.',
  positionals: 'verify',
  positionalsMin: 1,
  positionalsMax: 1,
  options: {},
  details: `verify reads the chain and every page of every object that it names, counts rows and digests them anew. Exit code 1:
the chain itself is broken. 2: objects are missing, damaged, foreign, or hold other rows; each is named.`,
  examples: ['spanloom archive verify'],
  run(_values, [action], io) {
    oneOf(action as string, 'The action', ['verify']);
    return Archive.with(io, async (archive) => {
      const bar = new ProgressBar(io);
      const seen = await verifyArchive(archive.bucket, archive.prefix, archive.onProblem, (done, all) =>
        bar.update(done / Math.max(1, all), `${count(done)} of ${plural(all, 'object')}`),
      );
      bar.clear();
      const gaps = seen.lostObjects === 0 ? '' : `, ${plural(seen.lostObjects, 'object')} lost and recorded as gaps`;
      io.out(
        `${plural(seen.entries, 'entry').replace(/entrys$/, 'entries')}, ${plural(seen.objects, 'object')} (${byteSize(seen.bytes)}), ${plural(seen.spans, 'span')}, ${plural(seen.traces, 'trace record')}${gaps}.`,
      );
      return EXIT.ok;
    });
  },
});
