-- Hosts in order of first appearance.
SELECT host, min(number) AS number FROM hosts GROUP BY host
