import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { usualPorts } from './usual-ports.ts';

describe('usualPorts', () => {
  it('leaves what is asked for alone, and asks for a free port where the usual one is taken', async () => {
    const server = createServer();
    // Taken by this test, or by somebody else already.
    await new Promise<void>((resolve) => server.once('error', () => resolve()).listen(4318, '127.0.0.1', resolve));
    try {
      const ports = await usualPorts({ COLLECTOR_GRPC_PORT: '5317' });
      expect(ports).toMatchObject({ COLLECTOR_GRPC_PORT: '5317', COLLECTOR_HTTP_PORT: '0' });
      expect([undefined, '0']).toContain(ports['COLLECTOR_ZIPKIN_PORT']);
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });
});
