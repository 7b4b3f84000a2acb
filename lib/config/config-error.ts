import { SpanloomError } from '../errors/spanloom-error.ts';

/** What a process exits with when its settings are wrong (EX_CONFIG of sysexits). */
export const EXIT_SETTINGS = 78;

/** Settings that cannot be used, each mistake one sentence. Trying again cannot help: a person must change them. */
export class ConfigError extends SpanloomError {
  readonly mistakes: readonly string[];
  readonly exitCode = EXIT_SETTINGS;

  constructor(mistakes: readonly string[]) {
    const count = mistakes.length === 1 ? '1 setting is wrong' : `${mistakes.length} settings are wrong`;
    super('CONFIG_INVALID', `${count}: ${mistakes.join(' ')}`);
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}
