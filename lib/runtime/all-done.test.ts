import { expect, it } from '@jest/globals';
import { allDone } from './all-done.ts';

it('gives all results in order, and fails only when nothing runs any more', async () => {
  expect(await allDone([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
  let isDone = false;
  const slow = new Promise((resolve) => setTimeout(resolve, 20)).then(() => {
    isDone = true;
  });
  await expect(allDone([Promise.reject(new Error('first')), slow])).rejects.toThrow('first');
  expect(isDone).toBe(true);
});
