import type { Mistake } from './fields.ts';

/**
 * Replaces `${env:NAME}` and `${file:PATH}` in every text of a declaration, as OpenTelemetry's Collector does, so that the
 * file itself holds no secret. `$$` stands for one dollar.
 *
 * @param lookUp the value, or undefined when there is none.
 */
export function substitute(
  declared: unknown,
  lookUp: (source: 'env' | 'file', name: string) => string | undefined,
): { value: unknown; mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  const visit = (value: unknown, path: Mistake['path']): unknown => {
    if (Array.isArray(value)) return value.map((item, i) => visit(item, [...path, i]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, visit(item, [...path, name])]));
    }
    if (typeof value !== 'string') return value;
    return value.replaceAll(REFERENCE, (whole: string, source: 'env' | 'file' | undefined, name: string) => {
      if (whole === '$$') return '$';
      const found = source === undefined ? undefined : lookUp(source, name);
      if (found !== undefined) return found;
      const what =
        source === 'env' ? `environment variable ${name}, which is not set` : `file ${name}, which cannot be read`;
      mistakes.push({
        path,
        what:
          source === undefined
            ? `has ${whole}; write \${env:NAME} or \${file:PATH}, or $$ for a dollar`
            : `names ${what}`,
      });
      return '';
    });
  };
  return { value: visit(declared, []), mistakes };
}

const REFERENCE = /\$\$|\$\{(?:(env|file):)?([^}]*)\}/g;
