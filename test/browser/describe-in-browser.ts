import { describe } from '@jest/globals';
import { findChromium } from '../../scripts/setup/chromium.ts';

/** Skipped, and counted as such, where there is no Chromium; `npm test` says so. */
export const describeInBrowser = findChromium() === undefined ? describe.skip : describe;
