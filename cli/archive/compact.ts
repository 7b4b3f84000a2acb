import { compactArchive } from '../../lib/archive/compact-archive.ts';
import type { HourResult } from '../../lib/archive/compact-hour.ts';
import { crashPoint } from '../../lib/runtime/crash-point.ts';
import { EXIT } from '../exit-codes.ts';
import { byteSize, plural } from '../format.ts';
import type { Io } from '../io.ts';
import { ProgressBar } from '../progress-bar.ts';
import type { Archive } from './open-archive.ts';
import { parseDuration, parseRange } from './time-range.ts';

interface CompactValues {
  readonly since: string | undefined;
  readonly until: string | undefined;
  readonly 'older-than': string | undefined;
  readonly 'dry-run': boolean;
}

export async function compactCommand(archive: Archive, values: CompactValues, io: Io): Promise<number> {
  const nowMs = Date.now();
  const range = parseRange(values.since ?? '7d', values.until, nowMs);
  const olderThanMs = Number(parseDuration(values['older-than'] ?? '2h', '--older-than') / 1_000_000n);
  const bar = new ProgressBar(io);
  const total = { hours: 0, sources: 0, sourceBytes: 0, objects: 0, objectBytes: 0 };
  const dryRun = values['dry-run'];
  await compactArchive({
    bucket: archive.bucket,
    prefix: archive.prefix,
    writer: WRITER,
    promoted: archive.promoted,
    range: { sinceMs: range.sinceMs, untilMs: Math.min(range.untilMs, nowMs - olderThanMs) },
    dryRun,
    crashPoint,
    onProblem: (problem) => {
      bar.clear();
      archive.onProblem(problem);
    },
    onHour: (hour, done, all) => {
      if (hour.objects > 0) {
        total.hours++;
        total.sources += hour.sources;
        total.sourceBytes += hour.sourceBytes;
        total.objects += hour.objects;
        total.objectBytes += hour.objectBytes;
        bar.clear();
        io.out(hourLine(hour, dryRun));
      }
      bar.update(done / all, `${done} of ${plural(all, 'hour')}`);
    },
  });
  bar.clear();
  io.out(summary(total, dryRun));
  if (!dryRun) await abortLeft(archive, nowMs, io);
  return EXIT.ok;
}

/** Uploads in parts that a killed process left cost as much as objects. */
async function abortLeft({ bucket, prefix }: Archive, nowMs: number, io: Io): Promise<void> {
  const aborted = await bucket.abortUploads(`${prefix}/`, nowMs - LEFT_MS);
  if (aborted > 0) io.out(`Aborted ${plural(aborted, 'upload')} that nobody had finished for a day.`);
}

function hourLine({ hourMs, sources, sourceBytes, objects, objectBytes }: HourResult, dryRun: boolean): string {
  const hour = `${new Date(hourMs).toISOString().slice(0, 13)}:00`;
  const after = dryRun ? '' : ` (${byteSize(objectBytes)})`;
  return `${hour}  ${plural(sources, 'object')} (${byteSize(sourceBytes)}) → ${plural(objects, 'object')}${after}`;
}

function summary(total: { hours: number; sources: number; objects: number }, dryRun: boolean): string {
  if (total.hours === 0) return 'Nothing to compact.';
  const did = dryRun ? 'Would merge' : 'Merged';
  return `${did} ${plural(total.sources, 'object')} of ${plural(total.hours, 'hour')} into ${plural(total.objects, 'object')}.`;
}

const LEFT_MS = 86_400_000;
/** Stands in every manifest. */
const WRITER = 'spanloom 0.1.0';
