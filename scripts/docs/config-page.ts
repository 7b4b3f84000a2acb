import { commonSettings, redisSettings, s3Settings } from '../../lib/config/common.ts';
import type { Settings } from '../../lib/config/settings.ts';
import { GENERATED, table } from './markdown.ts';
import { SERVICE_MODULES } from './services.ts';

export function configPage(): string {
  const shared = { ...commonSettings, ...redisSettings, ...s3Settings };
  const sections = SERVICE_MODULES.map(({ name, settings }) => {
    const own = Object.fromEntries(Object.entries(settings.settings).filter(([setting]) => !(setting in shared)));
    const uses = [
      'common',
      'REDIS_URL' in settings.settings ? 'redis' : '',
      'S3_BUCKET' in settings.settings ? 's3' : '',
    ];
    const links = uses.filter((use) => use !== '').map((use) => `[${use}](#${use})`);
    return `## ${name}\n\nBesides ${links.join(' and ')}:\n\n${settingsTable(own)}`;
  });
  return `# Settings

${GENERATED}

Settings are environment variables, read once at start; every mistake is listed and the exit code is 78. \`NAME_FILE\` names a file that holds the value of \`NAME\`, for any of them. An empty variable counts as not set. Durations are whole milliseconds, sizes
are bytes or whole numbers of KiB, MiB or GiB.

## common

${settingsTable(commonSettings)}
## redis

${settingsTable(redisSettings)}
## s3

${settingsTable(s3Settings)}
${sections.join('\n')}`;
}

function settingsTable(settings: Settings): string {
  const rows = Object.entries(settings).map(([name, setting]) => [
    `\`${name}\``,
    setting.description,
    setting.required ? 'required' : (setting.defaultText ?? shownDefault(setting)),
    setting.allowed,
  ]);
  return table(['setting', 'meaning', 'default', 'must be'], rows);
}

function shownDefault(setting: Settings[string]): string {
  if (setting.default === undefined) return '';
  return setting.secret ? '(see meaning)' : `\`${setting.show(setting.default)}\``;
}
