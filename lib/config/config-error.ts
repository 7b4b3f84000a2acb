import { SpanloomError } from '../errors/spanloom-error.ts';

/** What a process exits with when its settings are wrong (EX_CONFIG of sysexits). */
export const EXIT_SETTINGS = 78;

/**
 * Settings, or what they name, that cannot be used, each mistake one sentence. Trying again cannot help: a person must
 * change something.
 */
export class ConfigError extends SpanloomError {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[], code: 'CONFIG_INVALID' | 'TOPICS_WRONG' = 'CONFIG_INVALID') {
    super(code, mistakes.join(' '));
    this.name = 'ConfigError';
    this.mistakes = mistakes;
  }
}
