import { span } from '../zipkin-literal.ts';
import { ANOTHER_ROOT, type LinkCase } from './case.ts';

/** E. What Zipkin gets wrong; `zipkin` reproduces it. */
export const QUIRK_CASES: readonly LinkCase[] = [
  {
    name: 'an error that only the client of a shared id saw',
    traces: [
      [
        span('a', '', 'SERVER', 'web'),
        span('b', 'a', 'CLIENT', 'web', 'app', { error: 'timeout' }),
        span('b', 'a', 'SERVER', 'app', '', { shared: true }),
      ],
    ],
    zipkin: ['web → app'],
    accurate: ['web → app 1 error'],
    why: 'the call failed: this is what an outage looks like',
  },
  {
    name: 'a client span of a database with a local span inside',
    traces: [[span('a', '', 'SERVER', 'app'), span('b', 'a', 'CLIENT', 'app', 'db'), span('c', 'b', '', 'app')]],
    zipkin: [],
    accurate: ['app → db'],
    why: 'a span inside of a call does not answer it',
  },
  {
    name: 'error="false"',
    traces: [[span('a', '', 'CLIENT', 'app', 'db', { error: 'false' })]],
    zipkin: ['app → db 1 error'],
    accurate: ['app → db'],
    why: 'it says that there was none',
  },
  {
    name: 'a second span without a parent',
    traces: [[span('a', '', 'SERVER', 'app'), span('b', '', 'SERVER', 'other')]],
    zipkin: ['app → other'],
    accurate: [],
    why: ANOTHER_ROOT,
  },
  {
    name: 'a server span whose parent was lost',
    traces: [[span('a', '', 'SERVER', 'gw'), span('c', 'b', 'SERVER', 'm1')]],
    zipkin: ['gw → m1'],
    accurate: [],
    why: 'its caller is not known',
  },
  {
    name: 'a client span of another service between two servers',
    traces: [
      [span('a', '', 'SERVER', 'server'), span('b', 'a', 'CLIENT', 'client1'), span('c', 'b', 'SERVER', 'server1')],
    ],
    zipkin: ['client1 → server1'],
    accurate: ['client1 → server1', 'server → client1'],
    why: 'the middle service was called by somebody: without that edge the graph falls apart',
  },
];
