-- Who causes the load? Busy time per team, and its share. A team is the namespace that a service runs in.
-- Busy time is what a span takes without its children: a caller that waits costs its callee's team.
WITH children AS (
  SELECT trace_id, parent_span_id AS span_id, sum(duration_ns) AS waited_ns
  FROM spans
  WHERE parent_span_id IS NOT NULL AND kind <> 'consumer'
  GROUP BY ALL
)
SELECT coalesce(k8s_namespace_name, service) AS team,
       count(*) AS spans,
       count(DISTINCT trace_id) AS traces,
       round(sum(greatest(0, duration_ns - coalesce(waited_ns, 0))) / 1e9, 3) AS busy_seconds,
       round(100 * sum(greatest(0, duration_ns - coalesce(waited_ns, 0)))
             / sum(sum(greatest(0, duration_ns - coalesce(waited_ns, 0)))) OVER (), 1) AS percent
FROM spans
LEFT JOIN children USING (trace_id, span_id)
GROUP BY ALL
ORDER BY busy_seconds DESC, team;
