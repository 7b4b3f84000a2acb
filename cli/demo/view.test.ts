import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { incidentRecord } from '../../lib/testkit/incident-record.ts';
import { colours } from '../colours.ts';
import { type Frame, renderFrame } from './view.ts';

const FRAME: Frame = {
  elapsedMs: 65_000,
  requestsPerSecond: 38.4,
  tracesPerSecond: 36,
  spansIn: 12_345,
  traces: 2_345,
  completeTraces: 2_340,
  outageLeftMs: 11_200,
  outageInMs: undefined,
  edges: [
    {
      client: 'api-gateway',
      server: 'backend-service',
      connectionType: '',
      peerKind: 'service',
      calls: 2_345,
      errors: 23,
      p95Ms: 43.2,
    },
  ],
  incidents: [incidentRecord()],
  notes: ['trace-assembler ended (signal SIGKILL); starting it again'],
};

describe('renderFrame', () => {
  it('shows the rates, the edges and the incident in words', () => {
    const text = renderFrame(FRAME, 100, colours(false)).join('\n');
    expect(text).toContain('1:05   38 requests/s   the database is failing over, 12 s left');
    expect(text).toContain('36 traces/s   2,345 traces assembled, 2,340 complete   12,345 spans sent');
    expect(text).toMatch(/api-gateway → backend-service +2,345 +23 +\(1\.0 %\) +43 ms/);
    expect(text).toMatch(/Alerting +api-gateway POST \/orders/);
    expect(text).toMatch(/Cause +database, as backend-service saw it/);
    expect(text).toMatch(/Blast radius +31 % of requests \(41 of 132\), services api-gateway, backend-service/);
    expect(text).toMatch(/api-gateway POST \/orders +93 % {2}41 of 44/);
    expect(text).toContain('trace-assembler ended');
  });

  it('says so when there is nothing to show yet', () => {
    const text = renderFrame({ ...FRAME, edges: [], incidents: [], notes: [] }, 80, colours(false)).join('\n');
    expect(text).toContain('(none yet)');
    expect(text).toContain('No incident');
  });

  it('adds colours without changing a character of the text', () => {
    const coloured = renderFrame(FRAME, 90, colours(true)).map((line) => stripVTControlCharacters(line));
    expect(coloured).toEqual(renderFrame(FRAME, 90, colours(false)));
  });
});
