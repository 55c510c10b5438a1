-- Through the lake's partitions, so that the triggers stamp. The GIN index is made afterwards.
DROP INDEX lake.resource_search;
CREATE TEMP TABLE chunk AS SELECT type FROM bench.stage GROUP BY 1;
SELECT format('INSERT INTO lake.%I (resource) SELECT resource FROM bench.stage WHERE type = %L', lower(type), type) FROM chunk ORDER BY type \gexec
