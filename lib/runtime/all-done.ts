/**
 * Like `Promise.all`, but fails only when none runs on: what is left behind would go on changing what its caller has
 * begun again with.
 * @throws the first failure, in the order of `running`.
 */
export async function allDone<T>(running: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(running);
  return Promise.all(running);
}
