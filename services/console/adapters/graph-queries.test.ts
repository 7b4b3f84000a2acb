import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsoleWorld } from '../testing/console-world.ts';
import { SHOP_MS, shopCalls } from '../testing/shop.ts';

let world: ConsoleWorld;
beforeAll(async () => {
  world = await new ConsoleWorld({ nowMs: SHOP_MS + 60_000 }).listen();
  world.addDeltas(shopCalls());
});
afterAll(() => world.close());

describe('the series of', () => {
  it.each([
    ['a service: its own work', 'service=gateway', 60, 20],
    ['a database, which sends no spans: the calls into it', 'service=orders-db', 40, 20],
    ['an edge', 'client=gateway&server=payment', 40, 20],
  ])('%s', async (_of, query, calls, errors) => {
    const { json } = await world.get(`/api/console/graph/series?from=${SHOP_MS}&to=${SHOP_MS + 60_000}&${query}`);
    expect(json).toMatchObject({ total: { calls, errors }, exemplars: [{ kind: 'failed' }] });
  });
});
