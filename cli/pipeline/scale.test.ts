import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../command.ts';
import { servicesToRun } from './scale.ts';

describe('servicesToRun', () => {
  it('runs one of each unless told otherwise', () => {
    expect(Object.fromEntries(servicesToRun(undefined, []))).toEqual({
      collector: 1,
      'span-router': 1,
      'trace-assembler': 1,
      'graph-builder': 1,
      alerter: 1,
      archiver: 1,
      console: 1,
    });
  });

  it('runs the notifier and the forwarder when it is said whom they serve', () => {
    expect(servicesToRun(undefined, [], { FORWARD_DESTINATIONS_PATH: 'destinations.yaml' }).get('forwarder')).toBe(1);
    expect(servicesToRun(undefined, [], { NOTIFY_SINKS_FILE: 'sinks.yaml' }).get('notifier')).toBe(1);
    expect(servicesToRun('notifier', []).get('notifier')).toBe(1);
  });

  it('runs a subset, and several of one', () => {
    const counts = servicesToRun('span-router,trace-assembler', ['trace-assembler=2']);
    expect(Object.fromEntries(counts)).toEqual({ 'span-router': 1, 'trace-assembler': 2 });
  });

  it.each([
    ['nonsense', []],
    [undefined, ['archiver']],
    [undefined, ['archiver=-1']],
    [undefined, ['archiver=999']],
    [undefined, ['nonsense=1']],
    [undefined, ['console=2']],
    [undefined, ['collector=2']],
    ['alerter', ['archiver=2']],
  ])('refuses --only %s --scale %s', (only, scale) => {
    expect(() => servicesToRun(only, scale)).toThrow(UsageError);
  });
});
