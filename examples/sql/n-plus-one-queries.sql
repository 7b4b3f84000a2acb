-- N+1 queries: one span that asks the same database the same thing again and again, where one query would do.
SELECT parent.service,
       parent.operation,
       child.db_system_name AS database,
       child.operation AS query,
       count(*) AS repeats_in_one_span,
       round(sum(child.duration_ns) / 1e6, 1) AS spent_ms,
       any_value(child.trace_id) AS example_trace_id
FROM spans AS child
JOIN spans AS parent ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id
WHERE child.kind = 'client' AND child.db_system_name IS NOT NULL
GROUP BY parent.trace_id, parent.span_id, parent.service, parent.operation, database, query
HAVING count(*) >= 10
ORDER BY repeats_in_one_span DESC, query
LIMIT 50;
