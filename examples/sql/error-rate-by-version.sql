-- Did a release make it worse? Failed server calls by version, beside the version that was first seen before it.
WITH versions AS (
  SELECT service,
         service_version AS version,
         min(start_time) AS first_seen,
         count(*) AS calls,
         avg((status_code = 'error')::INT) AS failed
  FROM spans
  WHERE kind = 'server' AND service_version IS NOT NULL
  GROUP BY ALL
)
SELECT service,
       version,
       first_seen,
       calls,
       round(100 * failed, 2) AS failed_percent,
       round(100 * (failed - lag(failed) OVER (PARTITION BY service ORDER BY first_seen)), 2) AS change_in_points
FROM versions
ORDER BY service, first_seen;
