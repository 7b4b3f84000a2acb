import type { OutRecord } from '../kafka/types.ts';

/**
 * Records in sends of at most SEND_BYTES_MAX each, in order: one send is one batch on its partition, and the broker's
 * limit is for a batch. A larger record goes alone.
 */
export function splitBySize(records: readonly OutRecord[]): OutRecord[][] {
  const parts: OutRecord[][] = [];
  let bytes = 0;
  for (const record of records) {
    const size = (record.value?.length ?? 0) + (record.key?.length ?? 0) + RECORD_OVERHEAD_BYTES;
    const last = parts.at(-1);
    if (last === undefined || bytes + size > SEND_BYTES_MAX) {
      parts.push([record]);
      bytes = size;
    } else {
      last.push(record);
      bytes += size;
    }
  }
  return parts;
}

const SEND_BYTES_MAX = 2 * 1024 * 1024;
/** Lengths, headers and the like, at most. */
const RECORD_OVERHEAD_BYTES = 512;
