import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { benchMessages } from '../../bench/spans.ts';
import type { StageFindings } from '../../cli/audit/findings.ts';
import { Command, runCommand } from './command.ts';
import { uniquePrefix } from './stack.ts';
import { waitForRecords } from './topic.ts';

export interface AuditResult {
  readonly code: number;
  readonly clean: boolean;
  readonly stages: readonly StageFindings[];
}

/** The whole pipeline as processes with short time-outs, and `spanloom audit` to judge what came through. */
export class AuditedPipeline {
  readonly prefix: string;
  readonly up: Command;
  /** Spans sent so far. */
  sent = 0;
  readonly ingestTopic: string;
  private readonly env: Readonly<Record<string, string>>;
  private seed = 1;

  /** @param scale as `spanloom up --scale` takes it, e.g. `trace-assembler=2`. */
  constructor(name: string, scale: readonly string[] = []) {
    this.prefix = uniquePrefix(name);
    this.ingestTopic = `${this.prefix}-otlp`;
    this.env = { SPANLOOM_PREFIX: this.prefix };
    const options = ['--topic', this.ingestTopic, '--partitions', String(PARTITIONS)];
    this.up = new Command(['up', ...options, ...scale.flatMap((of) => ['--scale', of])], {
      ...this.env,
      TRACE_IDLE_TIMEOUT_MS: '1000',
      TRACE_ROOTLESS_IDLE_TIMEOUT_MS: '2000',
      ARCHIVE_RANGE_AGE_MAX_MS: '1000',
    });
  }

  async ready(): Promise<void> {
    await this.up.line('stdout', /"ready":true/, 120_000);
  }

  /** Sends about `spans` new spans; resolves when Kafka has acknowledged all of them. */
  async send(spans: number): Promise<void> {
    const folder = mkdtempSync(path.join(tmpdir(), 'spanloom-audit-'));
    try {
      const file = path.join(folder, 'spans.otlp');
      const framed = [...benchMessages(spans, this.seed++)].flatMap((message) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(message.length);
        return [length, message];
      });
      writeFileSync(file, Buffer.concat(framed));
      const { code, stderr } = await runCommand(['produce', file, '--topic', this.ingestTopic], this.env);
      if (code !== 0) throw new Error(stderr.join('\n'));
      this.sent += spans;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  async audit(): Promise<AuditResult> {
    const { code, stdout, stderr } = await runCommand(['audit', '-o', 'json'], this.env);
    if (stdout.length === 0) throw new Error(stderr.join('\n'));
    return { code, ...(JSON.parse(stdout.at(-1) as string) as Omit<AuditResult, 'code'>) };
  }

  /** `spanloom audit --follow`, a round every three seconds. */
  follow(): Command {
    return new Command(['audit', '--follow'], { ...this.env, AUDIT_INTERVAL_MS: '3000', METRICS_PORT: '0' });
  }

  /** The first audit that finds everything sent through every stage; the last one when that does not come in time. */
  settled(withinMs = 120_000): Promise<AuditResult> {
    const isThrough = ({ stages }: AuditResult) =>
      stages.length === STAGES &&
      (stages.find(({ stage }) => stage === 'bundles')?.matched ?? 0) >= this.sent &&
      stages.every(({ matched, open, skipped }) => matched > 0 && open === 0 && skipped === null);
    return waitForRecords(() => this.audit(), isThrough, withinMs);
  }
}

export const PARTITIONS = 2;
/** Bundles, traces, edges, archive. */
const STAGES = 4;
