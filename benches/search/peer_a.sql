-- a: one GIN index over the whole resource, asked with @>.
SELECT format('CREATE INDEX a_%1$s ON bench.%1$I USING gin (resource jsonb_path_ops) WITH (fastupdate = off)', lower(type))
FROM fhir.stats('lake') \gexec
