import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];

/**
 * What the tests of the console's page find their browser by: `CHROMIUM_PATH`, else one on PATH, else Debian's package, which
 * is installed when that is possible. Without any of these the result is empty, the tests are skipped, and this says so.
 */
export async function browserEnvironment(onProgress: (line: string) => void): Promise<{ CHROMIUM_PATH?: string }> {
  const found = findChromium() ?? (await installChromium(onProgress));
  if (found !== undefined) return { CHROMIUM_PATH: found };
  onProgress(
    [
      '',
      "!!  The tests of the console's page are SKIPPED: there is no Chromium.",
      '!!  Install one (Debian and Ubuntu: apt-get install chromium), or set CHROMIUM_PATH to its binary.',
      '',
    ].join('\n'),
  );
  return {};
}

export function findChromium(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env['CHROMIUM_PATH']) return env['CHROMIUM_PATH'];
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  return NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isExecutable);
}

/** Only as root and with apt: anything else would ask for a password, or put a browser where nobody expects one. */
async function installChromium(onProgress: (line: string) => void): Promise<string | undefined> {
  if (process.getuid?.() !== 0 || !(await hasApt())) return undefined;
  onProgress("Installing Chromium for the tests of the console's page (apt-get install chromium); about a minute …");
  // Fails where one of several sources is away; what is known already may do.
  await apt('update').catch(() => {});
  try {
    await apt('install', '-y', '--no-install-recommends', 'chromium');
  } catch (error) {
    onProgress(`apt-get could not install it: ${(error as Error).message.trim()}`);
  }
  return findChromium();
}

async function hasApt(): Promise<boolean> {
  return apt('--version').then(
    () => true,
    () => false,
  );
}

function apt(...args: readonly string[]): Promise<unknown> {
  return promisify(execFile)('apt-get', args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
