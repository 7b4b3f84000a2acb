import { performance } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * CPU, memory and event loop of this process, under the names that Prometheus clients share. Each is read when somebody
 * asks and costs nothing in between: prom-client's own set keeps a 10 ms timer and an observer of the collector running.
 */
export function registerProcessMetrics(registry: Registry): void {
  const registers = [registry];
  for (const { name, help, read } of PROCESS_COUNTERS) {
    const counter: Counter = new Counter({
      name,
      help,
      registers,
      collect() {
        counter.reset();
        counter.inc(read());
      },
    });
  }
  for (const { name, help, read } of PROCESS_GAUGES) {
    const gauge: Gauge = new Gauge({ name, help, registers, collect: () => gauge.set(read()) });
  }
}

interface ProcessMetric {
  readonly name: string;
  readonly help: string;
  read(): number;
}

export const PROCESS_COUNTERS: readonly ProcessMetric[] = [
  {
    name: 'process_cpu_user_seconds_total',
    help: 'CPU time of this process in user mode.',
    read: () => process.cpuUsage().user / 1e6,
  },
  {
    name: 'process_cpu_system_seconds_total',
    help: 'CPU time of this process in the kernel.',
    read: () => process.cpuUsage().system / 1e6,
  },
  {
    name: 'nodejs_eventloop_busy_seconds_total',
    help: 'Time in which the event loop did not wait; its rate is the share of the main thread in use.',
    read: () => performance.eventLoopUtilization().active / 1e3,
  },
];

export const PROCESS_GAUGES: readonly ProcessMetric[] = [
  {
    name: 'process_resident_memory_bytes',
    help: 'Memory of this process that is in RAM.',
    read: () => process.memoryUsage.rss(),
  },
  {
    name: 'process_resident_memory_max_bytes',
    help: 'The most it ever was.',
    read: () => process.resourceUsage().maxRSS * 1024,
  },
  {
    name: 'nodejs_heap_size_used_bytes',
    help: 'JavaScript objects, live or not yet collected.',
    read: () => process.memoryUsage().heapUsed,
  },
  {
    name: 'nodejs_external_memory_bytes',
    help: 'Buffers and other memory outside the JavaScript heap.',
    read: () => process.memoryUsage().external,
  },
  {
    name: 'process_start_time_seconds',
    help: 'When this process began, in seconds since 1970.',
    read: () => performance.timeOrigin / 1e3,
  },
];
