/**
 * Reads snappy as Kafka clients write it: the framing of snappy-java (magic `\x82SNAPPY\0`, two versions, then blocks with
 * a 4-byte length) or one raw block. Block format: https://github.com/google/snappy/blob/main/format_description.txt
 *
 * @param bytesMax most bytes the output may have.
 * @throws Error saying what is wrong with the bytes.
 */
export function decompressSnappy(bytes: Buffer, bytesMax: number): Buffer {
  if (bytes.length < HEADER_BYTES || bytes.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) !== 0) {
    return decompressBlock(bytes, bytesMax, bytesMax);
  }
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new Error('its snappy frame is cut short');
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new Error('its snappy frame is cut short');
    const block = decompressBlock(bytes.subarray(at + 4, end), bytesMax - total, bytesMax);
    total += block.length;
    blocks.push(block);
    at = end;
  }
  return blocks.length === 1 && blocks[0] !== undefined ? blocks[0] : Buffer.concat(blocks, total);
}

const MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const HEADER_BYTES = 16;

function decompressBlock(block: Buffer, room: number, bytesMax: number): Buffer {
  let at = 0;
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = block[at++];
    if (byte === undefined || shift > 28) throw new Error('its snappy block has no length');
    size += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  if (size > room) throw new Error(`it decompresses to more than ${bytesMax} bytes`);
  const out = Buffer.allocUnsafe(size);
  let end = 0;
  while (at < block.length) {
    const tag = block[at++]!;
    let length: number;
    let distance: number;
    switch (tag & 3) {
      case 0: {
        length = (tag >>> 2) + 1;
        if (length > 60) {
          const lengthBytes = length - 60;
          if (at + lengthBytes > block.length) throw new Error('its snappy block is cut short');
          length = block.readUIntLE(at, lengthBytes) + 1;
          at += lengthBytes;
        }
        if (at + length > block.length || end + length > size) throw new Error('its snappy block is damaged');
        block.copy(out, end, at, at + length);
        at += length;
        end += length;
        continue;
      }
      case 1:
        if (at + 1 > block.length) throw new Error('its snappy block is cut short');
        length = ((tag >>> 2) & 7) + 4;
        distance = ((tag >>> 5) << 8) | block[at]!;
        at += 1;
        break;
      case 2:
        if (at + 2 > block.length) throw new Error('its snappy block is cut short');
        length = (tag >>> 2) + 1;
        distance = block.readUInt16LE(at);
        at += 2;
        break;
      default:
        if (at + 4 > block.length) throw new Error('its snappy block is cut short');
        length = (tag >>> 2) + 1;
        distance = block.readUInt32LE(at);
        at += 4;
    }
    if (distance === 0 || distance > end || end + length > size) throw new Error('its snappy block is damaged');
    copyWithin(out, end, distance, length);
    end += length;
  }
  if (end !== size) throw new Error('its snappy block is cut short');
  return out;
}

/** Source and target may overlap: a distance of 1 repeats one byte, so the copy goes forward byte by byte then. */
export function copyWithin(out: Buffer, end: number, distance: number, length: number): void {
  if (distance >= length) {
    out.copyWithin(end, end - distance, end - distance + length);
    return;
  }
  for (let i = 0; i < length; i++) out[end + i] = out[end + i - distance]!;
}
