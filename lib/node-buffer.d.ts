/** Methods that every Node Buffer has and its types leave out: a third cheaper than `toString(encoding, start, end)`. */
interface Buffer {
  latin1Slice(start?: number, end?: number): string;
  utf8Slice(start?: number, end?: number): string;
  hexSlice(start?: number, end?: number): string;
}
