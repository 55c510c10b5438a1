-- The same resources in two lakes, without and with integrity, and in plain tables without and with foreign keys: :patients of them with
-- :size observations, an encounter for each ten of these, ten practitioners. :doc is the observation that all are made of.
-- Beside them :lonely patients to whom nothing refers.
CREATE EXTENSION IF NOT EXISTS fhirlake;
SELECT fhir.create_lake('loose'), fhir.create_lake('strict');
SELECT fhir.set_integrity('enforce', 'strict');

-- A column for each reference, as a modeller would take it out of the document.
CREATE SCHEMA bare;
CREATE TABLE bare.practitioner (id text PRIMARY KEY, doc jsonb NOT NULL);
CREATE TABLE bare.patient (id text PRIMARY KEY, doc jsonb NOT NULL);
CREATE TABLE bare.encounter (id text PRIMARY KEY, doc jsonb NOT NULL,
    patient text GENERATED ALWAYS AS (substr(doc->'subject'->>'reference', 9)) STORED);
CREATE TABLE bare.observation (id text PRIMARY KEY, doc jsonb NOT NULL,
    patient text GENERATED ALWAYS AS (substr(doc->'subject'->>'reference', 9)) STORED,
    encounter text GENERATED ALWAYS AS (substr(doc->'encounter'->>'reference', 11)) STORED,
    practitioner text GENERATED ALWAYS AS (substr(doc->'performer'->0->>'reference', 14)) STORED);
CREATE INDEX ON bare.practitioner USING gin (doc jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX ON bare.patient USING gin (doc jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX ON bare.encounter USING gin (doc jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX ON bare.observation USING gin (doc jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX ON bare.encounter (patient);
CREATE INDEX ON bare.observation (patient);
CREATE INDEX ON bare.observation (encounter);
CREATE INDEX ON bare.observation (practitioner);

CREATE SCHEMA keyed;
CREATE TABLE keyed.practitioner (LIKE bare.practitioner INCLUDING ALL);
CREATE TABLE keyed.patient (LIKE bare.patient INCLUDING ALL);
CREATE TABLE keyed.encounter (LIKE bare.encounter INCLUDING ALL,
    FOREIGN KEY (patient) REFERENCES keyed.patient DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE keyed.observation (LIKE bare.observation INCLUDING ALL,
    FOREIGN KEY (patient) REFERENCES keyed.patient DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (encounter) REFERENCES keyed.encounter DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (practitioner) REFERENCES keyed.practitioner DEFERRABLE INITIALLY DEFERRED);

CREATE TABLE public.made (type text, id text, doc jsonb);
INSERT INTO made
    SELECT 'Practitioner', 'd' || i, jsonb_build_object('resourceType', 'Practitioner', 'id', 'd' || i) FROM generate_series(0, 9) i;
INSERT INTO made
    SELECT 'Patient', i, jsonb_build_object('resourceType', 'Patient', 'id', i, 'gender', 'female', 'birthDate', '1970-01-01')
    FROM (SELECT 'p' || i FROM generate_series(0, :patients - 1) i UNION ALL SELECT 'l' || i FROM generate_series(1, :lonely) i) p(i);
INSERT INTO made
    SELECT 'Encounter', 'e' || i, jsonb_build_object('resourceType', 'Encounter', 'id', 'e' || i, 'status', 'finished', 'class', '{"code": "AMB"}'::jsonb,
        'subject', jsonb_build_object('reference', 'Patient/p' || i % :patients)) FROM generate_series(0, :size / 10 - 1) i;
-- An observation's encounter is one of its patient's.
CREATE FUNCTION public.observation(doc text, id text, i bigint, patients bigint, encounters bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT replace(replace(replace(replace(replace(doc, '#value#', (i % 90 + 40)::text), '#key#', id), 'Encounter/e#patient#', 'Encounter/e' || i % encounters),
        '#patient#', (i % encounters % patients)::text), 'Practitioner/d1', 'Practitioner/d' || i % 10)::jsonb || jsonb_build_object('id', id) $$;
INSERT INTO made SELECT 'Observation', 'o' || i, observation(:'doc', 'o' || i, i, :patients, :size / 10) FROM generate_series(0, :size - 1) i;
-- More of them, for the insertion of many.
CREATE TABLE public.more AS
    SELECT 'n' || i AS id, observation(:'doc', 'n' || i, i, :patients, :size / 10) AS doc FROM generate_series(0, :bulk - 1) i;

CREATE FUNCTION public.fill(type text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY '{loose,strict}'::text[] LOOP
        EXECUTE format('INSERT INTO %I.%I (resource) SELECT doc FROM public.made WHERE type = %L', target, lower(type), type);
    END LOOP;
    FOREACH target IN ARRAY '{bare,keyed}'::text[] LOOP
        EXECUTE format('INSERT INTO %I.%I (id, doc) SELECT id, doc FROM public.made WHERE type = %L', target, lower(type), type);
    END LOOP;
END $$;
SELECT fill('Practitioner');
SELECT fill('Patient');
SELECT fill('Encounter');
SELECT fill('Observation');
VACUUM ANALYZE;
CHECKPOINT;
