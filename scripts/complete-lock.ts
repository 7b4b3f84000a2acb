/** After a change of dependencies: adds to package-lock.json what npm has left out (scripts/setup/complete-lock.ts). */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { completeLock, type Lock, missingOptional } from './setup/complete-lock.ts';

const file = path.join(import.meta.dirname, '../package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock;
const missing = missingOptional(lock);
if (missing.length > 0) writeFileSync(file, `${JSON.stringify(completeLock(lock), null, 2)}\n`);
process.stdout.write(`${missing.length} optional packages added to package-lock.json\n`);
