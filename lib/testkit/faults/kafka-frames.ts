/** Puts the frames of one direction of a Kafka connection together again: a length of four bytes, then so many bytes. */
export class KafkaFrames {
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  /** Bytes without which there is nothing to do. */
  private wanted = LENGTH_BYTES;

  /** @returns the frames that are whole now, length included. */
  add(chunk: Buffer): Buffer[] {
    this.pending.push(chunk);
    this.pendingBytes += chunk.length;
    if (this.pendingBytes < this.wanted) return [];
    const bytes = Buffer.concat(this.pending);
    const frames: Buffer[] = [];
    let at = 0;
    this.wanted = LENGTH_BYTES;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = LENGTH_BYTES + bytes.readInt32BE(at);
      if (at + length > bytes.length) {
        this.wanted = length;
        break;
      }
      frames.push(bytes.subarray(at, at + length));
      at += length;
    }
    this.pending = [bytes.subarray(at)];
    this.pendingBytes = bytes.length - at;
    return frames;
  }
}

const LENGTH_BYTES = 4;
