import { ERROR_CODES } from '../../lib/errors/codes.ts';
import { GENERATED, table } from './markdown.ts';

export function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { meaning, remedy }]) => [`\`${code}\``, meaning, remedy]);
  return `# Errors

${GENERATED}

Every error and every dead letter has a code that stays the same, a sentence, and the cause underneath. Services count them in \`errors_total{code}\`.

Exit codes of a service: 0 asked to stop and drained, 1 the drain failed or the service could not go on, 70 a defect, 78 settings or something outside that only a person can put right.

${table(['code', 'what happened', 'what to do'], rows)}`;
}
