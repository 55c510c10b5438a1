SELECT format('VACUUM %s', c.oid::regclass) FROM pg_class c
WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind = 'r' AND c.relname <> 'took' \gexec
SELECT format('ANALYZE %s', c.oid::regclass) FROM pg_class c
WHERE c.relnamespace = :'schema'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'took' \gexec
