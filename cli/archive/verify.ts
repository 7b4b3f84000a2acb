import { verifyArchive } from '../../lib/archive/verify.ts';
import { EXIT } from '../exit-codes.ts';
import { byteSize, count, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { ProgressBar } from '../progress-bar.ts';
import type { Archive } from './open-archive.ts';

export async function verifyCommand(archive: Archive, io: Io): Promise<number> {
  const bar = new ProgressBar(io);
  const seen = await verifyArchive(
    archive.bucket,
    archive.prefix,
    (problem) => {
      bar.clear();
      archive.onProblem(problem);
    },
    (done, all) => bar.update(done / Math.max(1, all), `${count(done)} of ${plural(all, 'object')}`),
  );
  bar.clear();
  const entries = seen.entries === 1 ? '1 entry' : `${count(seen.entries)} entries`;
  const compacted = seen.compacted === 0 ? '' : `, ${count(seen.compacted)} of them compacted`;
  const gaps = seen.lostObjects === 0 ? '' : ` ${plural(seen.lostObjects, 'object')} lost and recorded as gaps.`;
  io.out(
    `${entries} of the chain, ${plural(seen.objects, 'object')} whole${compacted} (${byteSize(seen.bytes)}): ` +
      `${plural(seen.spans, 'span')}, ${plural(seen.traces, 'trace record')}.${gaps}`,
  );
  return EXIT.ok;
}
