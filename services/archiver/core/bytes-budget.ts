/** The raw bytes that all partitions of this process may hold together. */
export class BytesBudget {
  private readonly bytesMax: number;
  private readonly held = new Map<object, number>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    let sum = 0;
    for (const bytes of this.held.values()) sum += bytes;
    return sum;
  }

  hold(holder: object, bytes: number): void {
    if (bytes === 0) this.held.delete(holder);
    else this.held.set(holder, bytes);
  }

  get isFull(): boolean {
    return this.bytes >= this.bytesMax;
  }

  /** Whether this one holds the most: it is written first, the others wait. */
  isLargest(holder: object): boolean {
    const own = this.held.get(holder) ?? 0;
    for (const bytes of this.held.values()) if (bytes > own) return false;
    return own > 0;
  }
}
