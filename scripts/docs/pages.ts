import { archivePage } from './archive-page.ts';
import { configPage } from './config-page.ts';
import { errorsPage } from './errors-page.ts';
import { metricsPage } from './metrics-page.ts';

/** Pages below docs/ by their names. */
export const GENERATED_PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  'archive.md': archivePage,
  'config.md': configPage,
  'errors.md': errorsPage,
  'metrics.md': metricsPage,
};
