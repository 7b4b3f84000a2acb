import { importsOf, type Source } from './sources.ts';

const PURE = /^(services\/[^/]+\/(page\/)?core\/|lib\/(trace|stats)\/)/;
const IS_TEST = /(\.test\.ts|\.testkit\.ts|\.conformance\.ts|\/testing\/|fixture)/;
const PURE_BUILTINS = new Set(['node:crypto', 'node:buffer', 'node:v8']);

/** Sentences about imports that go the wrong way: main → adapters → ports, core → lib; services never meet. */
export function importProblems(source: Source): string[] {
  const { file } = source;
  const problems: string[] = [];
  const service = /^services\/([^/]+)\//.exec(file)?.[1];
  for (const target of importsOf(source)) {
    const refuse = (why: string) => problems.push(`${file} imports ${target}: ${why}`);
    const other = /^services\/([^/]+)\//.exec(target)?.[1];
    if (service !== undefined && other !== undefined && other !== service) refuse('services meet in topics only');
    if (file.startsWith('lib/') && !IS_TEST.test(file) && /^(services|cli|bench|test)\//.test(target)) {
      refuse('lib knows nobody above it');
    }
    if (IS_TEST.test(file)) continue;
    if (/^(lib|services|cli)\//.test(file) && /^test\//.test(target)) refuse('what is shipped does not need tests');
    if (!PURE.test(file)) continue;
    if (/\/adapters\/|\/main\.ts$/.test(target)) refuse('the core does not know its adapters');
    if (target.startsWith('node:') && !PURE_BUILTINS.has(target)) refuse('the core has no input or output');
    if (/^lib\/(kafka|redis|s3|runtime|observability|config)\//.test(target) && !target.endsWith('/types.ts')) {
      refuse('the core has no input or output');
    }
  }
  return problems;
}

/** Sentences about clocks, chance and timers in code that must be a function of its input. */
export function purityProblems({ file, text }: Source): string[] {
  if (!PURE.test(file) || IS_TEST.test(file)) return [];
  const found = withoutComments(text).match(
    /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|performance\.now|process\.env)\b/g,
  );
  return (found ?? []).map((what) => `${file} uses ${what}: the core gets time and chance as arguments`);
}

const FILE_NAME = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/;
const LINES_MAX = 600;

/** Sentences about how a file looks. */
export function fileProblems({ file, text }: Source): string[] {
  const problems: string[] = [];
  const name = file.slice(file.lastIndexOf('/') + 1);
  if (!FILE_NAME.test(name)) problems.push(`${file}: names are lower case with dashes`);
  const lines = text.split('\n').length;
  if (lines > LINES_MAX) problems.push(`${file} has ${lines} lines; more than one idea is in it`);
  if (/\b(TODO|FIXME|XXX)\b/.test(text)) problems.push(`${file} has something left to do; do it or open an issue`);
  if (!IS_TEST.test(file) && /['"`(\s]\/(?:home|root|Users|work)\//.test(text))
    problems.push(`${file} has an absolute path of some machine`);
  return problems;
}

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*$/gm, '');
}
