import { settings as audit } from '../../cli/audit/config.ts';
import type { Declared, Settings } from '../../lib/config/settings.ts';
import { settings as alerter } from '../../services/alerter/config.ts';
import { settings as archiver } from '../../services/archiver/config.ts';
import { settings as collector } from '../../services/collector/config.ts';
import { settings as consoleService } from '../../services/console/config.ts';
import { settings as forwarder } from '../../services/forwarder/config.ts';
import { settings as graphBuilder } from '../../services/graph-builder/config.ts';
import { settings as notifier } from '../../services/notifier/config.ts';
import { settings as spanRouter } from '../../services/span-router/config.ts';
import { settings as traceAssembler } from '../../services/trace-assembler/config.ts';

/** In the order in which spans pass them. */
export const SERVICE_MODULES: readonly { readonly name: string; readonly settings: { readonly settings: Settings } }[] =
  [
    { name: 'collector', settings: collector },
    { name: 'span-router', settings: spanRouter },
    { name: 'trace-assembler', settings: traceAssembler },
    { name: 'graph-builder', settings: graphBuilder },
    { name: 'alerter', settings: alerter },
    { name: 'notifier', settings: notifier },
    { name: 'archiver', settings: archiver },
    { name: 'forwarder', settings: forwarder },
    { name: 'console', settings: consoleService },
    { name: 'audit', settings: audit },
  ] satisfies readonly { name: string; settings: Pick<Declared, 'settings'> }[];
