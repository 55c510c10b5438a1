-- The rows of all three peers: one table for each type, as ours. The peers' indexes are on expressions that differ, so none
-- gets help from another's.
DROP TABLE bench.stage;
SELECT format('CREATE TABLE bench.%1$I (type text NOT NULL, id text COLLATE "C" NOT NULL, last_updated timestamptz NOT NULL, '
  'resource jsonb COMPRESSION lz4 NOT NULL) WITH (fillfactor = 90)', lower(type)) FROM fhir.stats('lake') \gexec
SELECT format('INSERT INTO bench.%1$I SELECT type, id, last_updated, resource FROM lake.%1$I', lower(type)) FROM fhir.stats('lake') \gexec
SELECT format('ALTER TABLE bench.%I ADD PRIMARY KEY (id)', lower(type)) FROM fhir.stats('lake') \gexec
SELECT format('CREATE INDEX ON bench.%I (last_updated DESC, id)', lower(type)) FROM fhir.stats('lake') \gexec
