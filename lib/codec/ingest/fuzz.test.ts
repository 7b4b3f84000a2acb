import { describe, expect, it } from '@jest/globals';
import { fuzzDecoders } from '../../testkit/formats/fuzz-decoders.ts';

describe('damaged records', () => {
  it('are decoded or refused, never anything else', () => {
    const { decoded, refused } = fuzzDecoders(1, 300);
    // A fuzz that damages everything, or nothing, finds nothing.
    expect(decoded).toBeGreaterThan(300);
    expect(refused).toBeGreaterThan(300);
  });
});
