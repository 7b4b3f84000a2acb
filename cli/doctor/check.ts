import { ConfigError } from '../../lib/config/config-error.ts';
import { describeError } from '../../lib/errors/spanloom-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What was looked at, whether it is as it must be, and if not, what to do. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly advice?: string;
}

/** A check that failed with an error instead of finding something out. */
export function failedCheck(name: string, error: unknown, advice: string): Check {
  if (error instanceof ConfigError) {
    return { name, ok: false, detail: error.mistakes.join(' '), advice: 'Correct the settings.' };
  }
  return { name, ok: false, detail: describeError(error), advice };
}
