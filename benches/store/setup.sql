-- The same observations in a lake and in the peers' tables. :size of them, with ids o1, o2, …; :doc is the one they are made of.
CREATE EXTENSION IF NOT EXISTS fhirlake;
SELECT fhir.create_lake();

CREATE SCHEMA bare;
CREATE TABLE bare.doc (id text PRIMARY KEY, doc jsonb NOT NULL);
CREATE INDEX doc_doc ON bare.doc USING gin (doc jsonb_path_ops) WITH (fastupdate = off);

-- The same, with versions and a history by a trigger in PL/pgSQL, as it is usually written.
CREATE SCHEMA kept;
CREATE TABLE kept.doc (id text PRIMARY KEY, version bigint NOT NULL DEFAULT 1, updated timestamptz NOT NULL DEFAULT clock_timestamp(), doc jsonb NOT NULL);
CREATE INDEX doc_doc ON kept.doc USING gin (doc jsonb_path_ops) WITH (fastupdate = off);
CREATE TABLE kept.history (id text, version bigint, updated timestamptz NOT NULL, superseded timestamptz NOT NULL, method text NOT NULL, doc jsonb, PRIMARY KEY (id, version));
CREATE FUNCTION kept.stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.version := OLD.version + 1;
        NEW.updated := clock_timestamp();
    END IF;
    NEW.doc := NEW.doc || jsonb_build_object('id', NEW.id, 'meta', coalesce(NEW.doc->'meta', '{}') || jsonb_build_object('versionId', NEW.version::text, 'lastUpdated', NEW.updated));
    RETURN NEW;
END $$;
CREATE FUNCTION kept.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kept.history VALUES (OLD.id, OLD.version, OLD.updated, coalesce(NEW.updated, clock_timestamp()), TG_OP, OLD.doc);
    RETURN NULL;
END $$;
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON kept.doc FOR EACH ROW EXECUTE FUNCTION kept.stamp();
CREATE TRIGGER keep AFTER UPDATE OR DELETE ON kept.doc FOR EACH ROW EXECUTE FUNCTION kept.keep();

CREATE TEMP TABLE made AS
    SELECT 'o' || i AS id, replace(replace(replace(:'doc', '#value#', (i % 90 + 40)::text), '#key#', i::text), '#patient#', (i % 500)::text)::jsonb || jsonb_build_object('id', 'o' || i) AS doc
    FROM generate_series(1, :size) i;
INSERT INTO lake.observation (resource) SELECT doc FROM made;
INSERT INTO bare.doc SELECT id, doc FROM made;
INSERT INTO kept.doc (id, doc) SELECT id, doc FROM made;
SELECT to_regclass('public.observation') IS NOT NULL AS fhirbase \gset
\if :fhirbase
    CREATE INDEX observation_doc ON public.observation USING gin (resource jsonb_path_ops) WITH (fastupdate = off);
    INSERT INTO public.observation (id, txid, status, resource) SELECT id, 0, 'created', doc - 'id' FROM made;
\endif

-- A transaction of 100 entries with one resource each, as a Bundle.
CREATE FUNCTION public.bundle(doc text, seed bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceType', 'Bundle', 'type', 'transaction', 'entry', jsonb_agg(jsonb_build_object(
        'fullUrl', 'urn:uuid:' || gen_random_uuid(), 'request', '{"method":"POST","url":"Observation"}'::jsonb,
        'resource', replace(replace(replace(doc, '#value#', (i % 90 + 40)::text), '#key#', seed || '-' || i), '#patient#', (i % 500)::text)::jsonb)))
    FROM generate_series(1, 100) i $$;
CREATE TABLE public.bundles AS SELECT n::bigint AS n, public.bundle(:'doc', n) AS bundle FROM generate_series(1, 50) n;
ALTER TABLE public.bundles ADD PRIMARY KEY (n);
VACUUM ANALYZE;
CHECKPOINT;
