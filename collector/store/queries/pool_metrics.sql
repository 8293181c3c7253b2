-- What agents measured of a service's workers and of their hosts (service ''), by name and labels.
SELECT
    host, toString(name) AS metric, arrayMap(x -> toString(x), labels) AS labels,
    avg(value) AS mean, max(value) AS most, sum(value) AS total,
    argMin(value, ts_ms) AS oldest, argMax(value, ts_ms) AS newest,
    min(ts_ms) AS first_ms, max(ts_ms) AS last_ms
FROM metrics
WHERE day >= toDate(intDiv({from_ms:UInt64}, 86400000))
    AND day <= toDate(intDiv({to_ms:UInt64}, 86400000))
    AND ts_ms >= {from_ms:UInt64} AND ts_ms < {to_ms:UInt64}
    AND (service = {service:String} OR service = '')
    AND source IN ('host', 'worker', 'uwsgi')
    AND name IN (
        'worker_uss_bytes', 'worker_shared_bytes', 'host_cores', 'host_cpu_percent', 'host_load_1m',
        'host_memory_total_bytes', 'host_memory_used_bytes', 'cgroup_cpu_limit_cores',
        'cgroup_memory_limit_bytes', 'cgroup_memory_used_bytes', 'uwsgi_workers', 'uwsgi_threads',
        'uwsgi_threads_busy', 'uwsgi_listen_queue', 'uwsgi_listen_queue_max',
        'uwsgi_listen_queue_errors', 'uwsgi_respawns'
    )
GROUP BY host, metric, labels
ORDER BY host, metric, labels
