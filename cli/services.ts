/** All services, in the order in which spans pass them. */
export const SERVICES = [
  'collector',
  'span-router',
  'trace-assembler',
  'graph-builder',
  'alerter',
  'notifier',
  'archiver',
  'forwarder',
  'console',
] as const;

export type ServiceName = (typeof SERVICES)[number];
