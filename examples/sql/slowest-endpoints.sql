-- The slowest endpoints of each hour: 99th percentile and share of failed calls, as their servers saw them.
SELECT time_bucket(INTERVAL 1 hour, start_time) AS hour,
       service,
       coalesce(http_route, rpc_method, operation) AS endpoint,
       count(*) AS calls,
       round(quantile_cont(duration_ns, 0.99) / 1e6, 1) AS p99_ms,
       round(100 * avg((status_code = 'error')::INT), 2) AS failed_percent
FROM spans
WHERE kind = 'server'
GROUP BY hour, service, endpoint
QUALIFY row_number() OVER (PARTITION BY hour ORDER BY p99_ms DESC, endpoint) <= 10
ORDER BY hour, p99_ms DESC, endpoint;
