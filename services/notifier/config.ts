import { parse } from 'yaml';
import { commonSettings } from '../../lib/config/common.ts';
import { defineSettings, durationMs, type SettingsOf, secret, text, textList } from '../../lib/config/settings.ts';
import { describeError } from '../../lib/errors/spanloom-error.ts';
import { cidrMistake } from '../../lib/http/address-guard.ts';
import { readSinks, type Sink } from './core/sinks.ts';

export const settings = defineSettings(
  {
    ...commonSettings,
    NOTIFY_SINKS: secret({
      required: true,
      allowed: 'a list of sinks in YAML or JSON',
      description:
        'Who is told of incidents: a list in YAML or JSON, each with `name`, `kind` (alertmanager, webhook, slack), `url`, and as needed `secret` (webhook), `authorization` (value of the header), `severity` (the least that is sent). `npm run up` starts the notifier when it is set.',
    }),
    NOTIFY_ALLOW_ADDRESSES: textList({
      default: [],
      items: 'IP addresses or CIDR ranges',
      description:
        'Private and special addresses that sinks may be at, e.g. `127.0.0.1,10.0.0.0/8`. Without it they are refused, as literal addresses and as what a name resolves to.',
      check: ({ NOTIFY_ALLOW_ADDRESSES: ranges }) => {
        const mistakes = (ranges as readonly string[]).map(cidrMistake).filter((mistake) => mistake !== undefined);
        return mistakes.length === 0 ? undefined : `NOTIFY_ALLOW_ADDRESSES: ${mistakes.join('; ')}.`;
      },
    }),
    NOTIFY_TIMEOUT_MS: durationMs({
      default: 10_000,
      min: 100,
      max: 120_000,
      description: 'A request to a sink that has no answer by then is tried again.',
    }),
    NOTIFY_RETRY_MS: durationMs({
      default: 1_000,
      min: 10,
      max: 60_000,
      description:
        'Pause after the first failed request; it doubles up to NOTIFY_RETRY_MAX_MS. A longer Retry-After counts.',
    }),
    NOTIFY_RETRY_MAX_MS: durationMs({
      default: 60_000,
      min: 10,
      max: 3_600_000,
      description: 'The longest pause between two tries.',
    }),
    NOTIFY_AGE_MAX_MS: durationMs({
      default: 3_600_000,
      min: 1_000,
      max: 7 * 86_400_000,
      description:
        'An announcement that a webhook or chat could not be told of for this long becomes a dead letter. An Alertmanager always gets what is true now.',
    }),
    NOTIFY_RESEND_MS: durationMs({
      default: 60_000,
      min: 500,
      max: 3_600_000,
      description:
        'How often an Alertmanager is told again of what fires. An alert ends by itself after four times this.',
    }),
    NOTIFY_LINK: text({
      default: '',
      pattern: /^(https?:\/\/\S*\{id\}\S*)?$/,
      allowed: 'an http or https address with {id} in it',
      description: 'Address under which people read an incident, with `{id}` for its id; sinks show it as a link.',
    }),
  },
  {
    checks: [
      ({ NOTIFY_SINKS: declared }) => {
        const { mistakes } = sinksOf(declared);
        return mistakes.length === 0 ? undefined : `NOTIFY_SINKS: ${mistakes.join('; ')}.`;
      },
    ],
  },
);

export type NotifierSettings = SettingsOf<typeof settings>;

export function sinksOf(declared: string): { sinks: Sink[]; mistakes: string[] } {
  try {
    return readSinks(parse(declared));
  } catch (error) {
    // The parser quotes the line at fault, which may hold a secret.
    return { sinks: [], mistakes: [`it is no YAML (${describeError(error).split('\n')[0]?.split(':')[0]})`] };
  }
}
