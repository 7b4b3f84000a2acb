export class Int32Column {
  count = 0;
  nulls = 0;
  numbers = new Int32Array(ROWS_AT_FIRST);
  /** 1 where there is a value. */
  present = new Uint8Array(ROWS_AT_FIRST);

  add(value: number): void {
    this.push(value, 1);
  }

  addNull(): void {
    this.nulls++;
    this.push(0, 0);
  }

  /** The same for so many rows. */
  addRun(value: number, rows: number): void {
    for (let i = 0; i < rows; i++) this.push(value, 1);
  }

  /** Null for the rows that are missing up to `rows`. */
  padTo(rows: number): void {
    while (this.count < rows) this.addNull();
  }

  /** All values of the column: for tests. */
  values(): (number | null)[] {
    return Array.from(this.numbers.subarray(0, this.count), (value, row) => (this.present[row] === 1 ? value : null));
  }

  clear(): void {
    this.count = 0;
    this.nulls = 0;
  }

  private push(value: number, present: number): void {
    if (this.count === this.numbers.length) {
      const larger = new Int32Array(this.count * 2);
      larger.set(this.numbers);
      this.numbers = larger;
      const presentToo = new Uint8Array(this.count * 2);
      presentToo.set(this.present);
      this.present = presentToo;
    }
    this.numbers[this.count] = value;
    this.present[this.count++] = present;
  }
}

/** 64-bit integers as two halves, because JavaScript's numbers are exact to 2^53 only; never null. */
export class Int64Column {
  count = 0;
  readonly nulls = 0;
  hi = new Int32Array(ROWS_AT_FIRST);
  lo = new Uint32Array(ROWS_AT_FIRST);

  /** @param value a safe integer. */
  add(value: number): void {
    this.addHalves(Math.floor(value / 2 ** 32), value >>> 0);
  }

  addBig(value: bigint): void {
    this.addHalves(Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asUintN(32, value)));
  }

  addHalves(hi: number, lo: number): void {
    if (this.count === this.hi.length) {
      const largerHi = new Int32Array(this.count * 2);
      largerHi.set(this.hi);
      this.hi = largerHi;
      const largerLo = new Uint32Array(this.count * 2);
      largerLo.set(this.lo);
      this.lo = largerLo;
    }
    this.hi[this.count] = hi;
    this.lo[this.count++] = lo;
  }

  /** The same for so many rows. */
  addRun(hi: number, lo: number, rows: number): void {
    for (let i = 0; i < rows; i++) this.addHalves(hi, lo);
  }

  at(row: number): bigint {
    return (BigInt(this.hi[row] as number) << 32n) | BigInt(this.lo[row] as number);
  }

  /** All values of the column: for tests. */
  values(): bigint[] {
    return Array.from({ length: this.count }, (_, row) => this.at(row));
  }

  clear(): void {
    this.count = 0;
  }
}

/** Never null. */
export class BoolColumn {
  count = 0;
  readonly nulls = 0;
  /** 0 or 1. */
  flags = new Uint8Array(ROWS_AT_FIRST);

  add(value: boolean): void {
    if (this.count === this.flags.length) {
      const larger = new Uint8Array(this.count * 2);
      larger.set(this.flags);
      this.flags = larger;
    }
    this.flags[this.count++] = value ? 1 : 0;
  }

  /** The same for so many rows. */
  addRun(value: boolean, rows: number): void {
    for (let i = 0; i < rows; i++) this.add(value);
  }

  /** All values of the column: for tests. */
  values(): boolean[] {
    return Array.from(this.flags.subarray(0, this.count), (flag) => flag === 1);
  }

  clear(): void {
    this.count = 0;
  }
}

const ROWS_AT_FIRST = 4096;
