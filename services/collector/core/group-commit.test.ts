import { describe, expect, it } from '@jest/globals';
import { GroupCommit } from './group-commit.ts';

/** Sends that end when the test says so. */
function controlled() {
  const sends: { readonly records: string[]; ack(): void; fail(error: Error): void }[] = [];
  const send = (records: readonly Buffer[]) =>
    new Promise<void>((resolve, reject) => {
      sends.push({ records: records.map(String), ack: resolve, fail: reject });
    });
  return { sends, send };
}

const record = (text: string) => Buffer.from(text);
const settled = () => new Promise((resolve) => setImmediate(resolve));
const BATCH_BYTES = 200;

describe('GroupCommit', () => {
  it('gathers what comes while a send is on its way, and answers nobody before the acknowledgement', async () => {
    const { sends, send } = controlled();
    const commits = new GroupCommit(send, BATCH_BYTES);
    const answered: string[] = [];
    const add = (name: string) => void commits.add([record(name)]).done.then(() => answered.push(name));
    add('a');
    await settled();
    for (const name of ['b', 'c', 'd']) add(name);
    await settled();
    expect(sends.map(({ records }) => records)).toEqual([['a']]);
    expect(answered).toEqual([]);
    sends[0]?.ack();
    await settled();
    expect(answered).toEqual(['a']);
    expect(sends[1]?.records).toEqual(['b', 'c', 'd']);
    sends[1]?.ack();
    await commits.idle();
    expect(answered).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps batches below the limit with the frames of the records, and splits a request that is larger', async () => {
    const { sends, send } = controlled();
    const commits = new GroupCommit(send, BATCH_BYTES);
    const done = [
      commits.add([record('x'.repeat(100))]),
      commits.add([record('y'.repeat(50))]),
      commits.add(['1', '2', '3'].map((digit) => record(digit.repeat(90)))),
    ].map((pending) => pending.done);
    for (let i = 0; i < 5; i++) {
      await settled();
      sends[i]?.ack();
    }
    await Promise.all(done);
    expect(sends.map(({ records }) => records.map((text) => text[0]).join(''))).toEqual(['x', 'y', '1', '2', '3']);
    for (const { records } of sends) {
      expect(records.reduce((sum, { length }) => sum + length + 32, 0)).toBeLessThanOrEqual(BATCH_BYTES);
    }
  });

  it('fails everybody in a failed batch, and goes on with the next', async () => {
    const { sends, send } = controlled();
    const commits = new GroupCommit(send, BATCH_BYTES);
    const first = commits.add([record('a')]).done;
    const second = commits.add([record('b')]).done;
    const failed = Promise.allSettled([first, second]);
    await settled();
    const third = commits.add([record('c')]).done;
    sends[0]?.fail(new Error('no leader'));
    expect((await failed).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await settled();
    sends[1]?.ack();
    await expect(third).resolves.toBeUndefined();
  });

  it('holds nothing of those who gave up waiting', async () => {
    const { sends, send } = controlled();
    const commits = new GroupCommit(send, BATCH_BYTES);
    const first = commits.add([record('a')]);
    await settled();
    const late = Array.from({ length: 100 }, () => commits.add([record('late')]));
    expect(commits.waitingCount).toBe(100);
    for (const pending of late) pending.withdraw();
    first.withdraw();
    expect(commits.waitingCount).toBe(0);
    sends[0]?.ack();
    await first.done;
    await commits.idle();
    expect(sends).toHaveLength(1);
  });
});
