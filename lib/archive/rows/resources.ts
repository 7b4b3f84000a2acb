import { ByteTable } from '../../parquet/byte-table.ts';
import { WordColumn } from '../../parquet/word-column.ts';
import { ATTRIBUTES_OF, fieldRange, findField } from '../../trace/attributes.ts';
import { resourceServiceName } from '../../trace/service-name.ts';
import { AttributeList } from './attribute-list.ts';
import { JSON_BYTES_MORE, JSON_GROWTH, putAttributes } from './json-text.ts';
import type { Cells, PromotedColumns } from './promoted-columns.ts';

/**
 * The columns of what many spans share: resource and scope. Each distinct one is read once; its spans add the numbers of
 * its words.
 */
export class ResourceColumns {
  readonly service = new WordColumn();
  readonly attributes = new WordColumn();
  private readonly promoted: PromotedColumns;
  private readonly table = new ByteTable();
  private readonly read: { readonly service: number; readonly attributes: number; readonly cells: Cells }[] = [];
  private readonly list = new AttributeList();
  private text: Buffer = Buffer.allocUnsafe(4096);

  constructor(promoted: PromotedColumns) {
    this.promoted = promoted;
  }

  /** @param start,end body of the Resource message; both the same when there is none. @returns its number for `addRow`. */
  enter(bytes: Buffer, start: number, end: number): number {
    const number = this.table.intern(bytes, start, end);
    if (number < this.read.length) return number;
    for (let at = start; findField(bytes, at, end, ATTRIBUTES_OF.resource); at = fieldRange().end) {
      this.list.add(bytes, fieldRange().start, fieldRange().end);
    }
    this.promoted.read(bytes, this.list);
    const size = (end - start) * JSON_GROWTH + JSON_BYTES_MORE;
    if (size > this.text.length) this.text = Buffer.allocUnsafe(size);
    const length = putAttributes(this.text, 0, bytes, this.list, this.promoted.isWhole);
    this.list.clear();
    this.read.push({
      service: this.service.internText(resourceServiceName(bytes, start, end) || UNKNOWN_SERVICE),
      attributes: this.attributes.intern(this.text, 0, length),
      cells: this.promoted.takeCells(),
    });
    return number;
  }

  addRow(number: number): void {
    const { service, attributes, cells } = this.read[number] as (typeof this.read)[number];
    this.service.addId(service);
    this.attributes.addId(attributes);
    this.promoted.addCells(cells);
  }

  clear(): void {
    this.service.clear();
    this.attributes.clear();
    this.promoted.clear();
    this.table.clear();
    this.read.length = 0;
  }
}

/** Name and version of the instrumentation scope. */
export class ScopeColumns {
  readonly names = new WordColumn();
  readonly versions = new WordColumn();
  private readonly table = new ByteTable();
  private readonly read: { readonly name: number; readonly version: number }[] = [];

  /** @param start,end body of the InstrumentationScope message; both the same when there is none. */
  enter(bytes: Buffer, start: number, end: number): number {
    const number = this.table.intern(bytes, start, end);
    if (number < this.read.length) return number;
    const word = (column: WordColumn, tag: number) =>
      findField(bytes, start, end, tag) ? column.intern(bytes, fieldRange().start, fieldRange().end) : -1;
    this.read.push({ name: word(this.names, TAG_NAME), version: word(this.versions, TAG_VERSION) });
    return number;
  }

  addRow(number: number): void {
    const { name, version } = this.read[number] as (typeof this.read)[number];
    this.names.addId(name);
    this.versions.addId(version);
  }

  clear(): void {
    this.names.clear();
    this.versions.clear();
    this.table.clear();
    this.read.length = 0;
  }
}

const UNKNOWN_SERVICE = 'unknown_service';
const TAG_NAME = 0x0a;
const TAG_VERSION = 0x12;
