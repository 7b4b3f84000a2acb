export interface DockerStage {
  readonly name: string;
  /** Absolute, without the leading slash; empty for the root. */
  workdir: string;
  readonly env: Record<string, string>;
  readonly steps: DockerStep[];
  entrypoint: readonly string[];
}

export type DockerStep =
  | { readonly kind: 'run'; readonly command: string }
  | {
      readonly kind: 'copy';
      /** A stage; undefined: the build context. */
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    };

/**
 * The stages of a Dockerfile, as far as ours uses the language.
 * @throws Error for an instruction that it does not know: then this file needs to learn it.
 */
export function parseDockerfile(text: string): DockerStage[] {
  const stages: DockerStage[] = [];
  for (const line of text.split('\n')) {
    const [, instruction = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (instruction === '') {
      if (line.trim() !== '' && !line.trim().startsWith('#')) throw new Error(`Dockerfile: cannot read '${line}'`);
      continue;
    }
    if (instruction === 'FROM') {
      const name = / AS (\S+)$/.exec(rest)?.[1] ?? `stage-${stages.length}`;
      stages.push({ name, workdir: '', env: {}, steps: [], entrypoint: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error('Dockerfile: it does not begin with FROM');
    takeInstruction(stage, instruction, rest);
  }
  return stages;
}

function takeInstruction(stage: DockerStage, instruction: string, rest: string): void {
  switch (instruction) {
    case 'WORKDIR':
      stage.workdir = rest.replace(/^\//, '');
      return;
    case 'ENV':
      for (const [, name = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) stage.env[name] = value;
      return;
    case 'RUN':
      stage.steps.push({ kind: 'run', command: rest });
      return;
    case 'COPY': {
      const words = rest.split(/\s+/);
      const from = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
      const target = words.pop() ?? '';
      stage.steps.push({ kind: 'copy', from, sources: words, target });
      return;
    }
    case 'ENTRYPOINT':
      stage.entrypoint = JSON.parse(rest) as string[];
      return;
    case 'USER':
    case 'EXPOSE':
    case 'CMD':
      return;
    default:
      throw new Error(`Dockerfile: ${instruction} is not known here`);
  }
}

/** Whether a path of the build context is left out; the last pattern that matches decides, as Docker has it. */
export function ignoredBy(dockerignore: string): (file: string) => boolean {
  const patterns = dockerignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ keeps: line.startsWith('!'), pattern: patternOf(line.replace(/^!/, '')) }));
  return (file) => {
    const normal = file.replaceAll('\\', '/');
    return patterns.findLast(({ pattern }) => pattern.test(normal))?.keeps === false;
  };
}

/** A pattern also covers what is below what it names. */
function patternOf(text: string): RegExp {
  const body = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('**/', '\u0000')
    .replaceAll('*', '[^/]*')
    .replaceAll('\u0000', '(?:.*/)?');
  return new RegExp(`^${body}(?:/.*)?$`);
}
