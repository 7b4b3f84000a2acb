import { outageAt } from '../../lib/testkit/traffic/outage.ts';
import { colours } from '../colours.ts';
import { clock, count, duration, percent } from '../format.ts';
import type { Io } from '../io.ts';
import { Screen } from '../screen.ts';
import type { DemoRun } from './run-demo.ts';
import { SlidingRate } from './sliding-rate.ts';
import { describeIncident, type Frame, renderFrame } from './view.ts';

/** How a run is shown while it goes on. */
export interface DemoDisplay {
  update(): void;
  note(line: string): void;
  close(): void;
}

/** A live page when a person watches stdout and stdout is not kept for data, else plain lines. */
export function demoDisplay(run: DemoRun, io: Io, stdoutIsForData: boolean): DemoDisplay {
  return io.stdoutIsTerminal && !stdoutIsForData ? new LiveDisplay(run, io) : new LineDisplay(run, io, stdoutIsForData);
}

class LiveDisplay implements DemoDisplay {
  private readonly run: DemoRun;
  private readonly io: Io;
  private readonly screen: Screen;
  private readonly frames: FrameSource;
  private readonly notes: string[] = [];

  constructor(run: DemoRun, io: Io) {
    this.run = run;
    this.io = io;
    this.screen = new Screen(io);
    this.frames = new FrameSource(run);
  }

  update(): void {
    this.screen.draw(renderFrame(this.frames.next(this.notes), this.io.columns(), colours(this.io.colour)));
  }

  note(line: string): void {
    this.notes.push(`${clock(this.run.elapsedMs)}  ${line}`);
    if (this.notes.length > NOTES_KEPT) this.notes.shift();
  }

  close(): void {
    this.update();
    this.screen.close();
  }
}

class LineDisplay implements DemoDisplay {
  private readonly run: DemoRun;
  private readonly print: (line: string) => void;
  private readonly frames: FrameSource;
  private lastStatusMs = Number.NEGATIVE_INFINITY;
  private outage = false;
  /** Sequence number of each incident as it was last told. */
  private readonly told = new Map<string, string>();

  constructor(run: DemoRun, io: Io, stdoutIsForData: boolean) {
    this.run = run;
    this.print = stdoutIsForData ? (line) => io.say(line) : (line) => io.out(line);
    this.frames = new FrameSource(run);
  }

  update(): void {
    const frame = this.frames.next([]);
    this.tellOutage(frame);
    this.tellIncidents(frame);
    if (frame.elapsedMs - this.lastStatusMs < STATUS_MS) return;
    this.lastStatusMs = frame.elapsedMs;
    this.line(
      `${count(frame.requestsPerSecond)} requests/s, ${count(frame.tracesPerSecond)} traces/s; ` +
        `${count(frame.spansIn)} spans sent, ${count(frame.traces)} traces (${count(frame.completeTraces)} complete)`,
    );
    for (const edge of frame.edges) {
      const failed = edge.errors === 0 ? '' : ` (${percent(edge.errors / edge.calls)})`;
      const p95 = edge.p95Ms === undefined ? '' : `, p95 ${duration(edge.p95Ms)}`;
      this.print(
        `        ${edge.client} → ${edge.server}: ${count(edge.calls)} calls, ${count(edge.errors)} errors${failed}${p95}`,
      );
    }
  }

  note(line: string): void {
    this.line(line);
  }

  close(): void {
    this.tellIncidents(this.frames.next([]));
  }

  private tellOutage({ outageLeftMs }: Frame): void {
    const outage = outageLeftMs !== undefined;
    if (outage !== this.outage) this.line(outage ? 'THE DATABASE FAILS OVER' : 'the database is back');
    this.outage = outage;
  }

  /** An incident is told when it opens, and again when what matters of it changes. */
  private tellIncidents({ incidents }: Frame): void {
    for (const incident of incidents) {
      const matter = `${incident.state === 'updated' ? 'open' : incident.state} ${incident.cause.service}`;
      if (this.told.get(incident.incidentId) === matter) continue;
      this.told.set(incident.incidentId, matter);
      this.line('');
      for (const line of describeIncident(incident, 100, colours(false))) this.print(`        ${line}`);
    }
  }

  private line(text: string): void {
    this.print(`${clock(this.run.elapsedMs).padStart(6)}  ${text}`);
  }
}

/** What the run has come to, with rates since a while ago. */
class FrameSource {
  private readonly run: DemoRun;
  private readonly requests = new SlidingRate(RATE_WINDOW_MS);
  private readonly traces = new SlidingRate(RATE_WINDOW_MS);

  constructor(run: DemoRun) {
    this.run = run;
  }

  next(notes: readonly string[]): Frame {
    const { run } = this;
    const { elapsedMs, observed, timeline } = run;
    const outage = outageAt(timeline.outages, elapsedMs);
    return {
      elapsedMs,
      requestsPerSecond: this.requests.perSecond(elapsedMs, run.requestCount),
      tracesPerSecond: this.traces.perSecond(elapsedMs, observed.traces),
      spansIn: run.spansSent,
      traces: observed.traces,
      completeTraces: observed.completeTraces,
      outageLeftMs: outage === undefined ? undefined : outage.endMs - elapsedMs,
      outageInMs: elapsedMs < timeline.outages.firstMs ? timeline.outages.firstMs - elapsedMs : undefined,
      edges: observed.edges.edges(),
      incidents: [...observed.incidents.values()].filter(({ mergedInto }) => mergedInto === ''),
      notes,
    };
  }
}

const RATE_WINDOW_MS = 5_000;
const STATUS_MS = 10_000;
const NOTES_KEPT = 10;
