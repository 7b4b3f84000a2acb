import { Compression, Encoding, type WriterProperties, WriterPropertiesBuilder } from 'parquet-wasm/node';
import type { ColumnType } from './schema.ts';

/**
 * How the archive's objects are encoded: zstd, times as deltas, ids and JSON without dictionary, statistics for each
 * page. Used up by each file, so made anew.
 *
 * @param groupRows rows of a row group at most.
 */
export function writerProperties(
  columns: readonly { readonly name: string; readonly type: ColumnType }[],
  groupRows: number,
): WriterProperties {
  let builder = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setMaxRowGroupSize(groupRows)
    .setCreatedBy('spanloom');
  for (const { name, type } of columns) {
    if (type === 'timestamp' || name.endsWith('_ns')) {
      builder = builder.setColumnDictionaryEnabled(name, false).setColumnEncoding(name, Encoding.DELTA_BINARY_PACKED);
    } else if (UNIQUE.has(name)) builder = builder.setColumnDictionaryEnabled(name, false);
  }
  return builder.build();
}

/** Values hardly ever repeat: a dictionary would be built in vain. */
const UNIQUE = new Set(['span_id', 'parent_span_id', 'attributes', 'events', 'links']);
