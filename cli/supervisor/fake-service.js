/**
 * Stands in for a service in the supervisor's tests. FAKE says how it behaves:
 * steady, refuses (exit 78), crashes (before listening), waits (is never ready), deaf (ignores SIGTERM).
 */
import { createServer } from 'node:http';
import { stopWithParent } from './stop-with-parent.ts';

if (process.env.FAKE === 'refuses') {
  process.stderr.write('KAFKA_BROKERS is not a list of addresses\n');
  process.exit(78);
}
if (process.env.FAKE === 'crashes') {
  process.stderr.write('it crashed\n');
  process.exit(70);
}
process.on('SIGTERM', () => {
  if (process.env.FAKE !== 'deaf') process.exit(0);
});
stopWithParent();
const startedAt = Date.now();
const server = createServer((request, response) => {
  const ready = process.env.FAKE !== 'waits' && Date.now() - startedAt > 100;
  response.statusCode = request.url === '/readyz' && !ready ? 503 : 200;
  response.end();
});
server.listen(Number(process.env.METRICS_PORT ?? 0), '127.0.0.1', () => {
  process.stdout.write('something else first\n');
  process.stdout.write(`{"service":"fake","metrics":"http://127.0.0.1:${server.address().port}/metrics"}\n`);
  // Where nobody says which port, each process has another.
  const port = process.env.COLLECTOR_HTTP_PORT ?? 10_000 + (process.pid % 50_000);
  process.stdout.write(`{"service":"fake","collector":{"otlp":"http://127.0.0.1:${port}"}}\n`);
});
