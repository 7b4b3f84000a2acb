import { commonSettings, redisSettings } from '../../lib/config/common.ts';
import { defineSettings, readSettings } from '../../lib/config/settings.ts';
import { createLogger } from '../../lib/observability/logger.ts';
import { connectRedis } from '../../lib/redis/connect.ts';
import { type Check, type Environment, failedCheck } from './check.ts';

const declared = defineSettings({ ...commonSettings, ...redisSettings });

/** That Redis answers, takes the login, and keeps what it is given. */
export async function checkRedis(env: Environment): Promise<Check> {
  const name = 'redis';
  const closes: (() => unknown)[] = [];
  const warnings: string[] = [];
  const output = { write: (line: string) => warnings.push((JSON.parse(line) as { message: string }).message) };
  try {
    const logger = createLogger({ service: 'doctor', level: 'warn', format: 'json', output });
    const settings = readSettings(declared, env);
    const redis = await connectRedis(settings, { logger, onClose: (close) => closes.push(close) });
    const version =
      /^redis_version:(\S+)/m.exec(await redis.info('server').catch(() => ''))?.[1] ?? '(version unknown)';
    const { host } = new URL(settings.REDIS_URL);
    return { name, ok: true, detail: [`${host}: Redis ${version}`, ...warnings].join('; ') };
  } catch (error) {
    return failedCheck(name, error, 'Start Redis, or set REDIS_URL (and REDIS_USERNAME, REDIS_PASSWORD if it asks).');
  } finally {
    for (const close of closes) await close();
  }
}
