-- Question: do searches find resources by what their notes say, of one finding, of now, by the index, and under policies?
\set VERBOSITY terse
SET client_min_messages = error;
-- What is in a note is told by the note here: each line is what a lexicon finds, so that words and scores are those of this test.
CREATE OR REPLACE FUNCTION fhir.resource_texts(resource jsonb) RETURNS TABLE (path text, content_type text, language text, text text, problem text)
    LANGUAGE sql IMMUTABLE AS $$
    SELECT 'DocumentReference.content[0].attachment', 'text/plain', NULL, convert_from(decode(resource #>> '{content,0,attachment,data}', 'base64'), 'UTF8'), NULL
    WHERE resource #>> '{content,0,attachment,data}' IS NOT NULL $$;
CREATE TABLE lexicon_of_test (version text);
INSERT INTO lexicon_of_test VALUES ('one');
CREATE OR REPLACE FUNCTION fhir.lexicon_version() RETURNS text LANGUAGE sql STABLE AS $$ SELECT version FROM public.lexicon_of_test $$;
GRANT SELECT ON lexicon_of_test TO PUBLIC;
CREATE OR REPLACE FUNCTION fhir.resource_entities(resource jsonb, categories text[] DEFAULT NULL, min_score real DEFAULT 0)
    RETURNS TABLE (path text, id integer, category text, type text, text text, "begin" integer, "end" integer, section text, score real, certainty text,
        temporality text, subject text, conditionality text, value text, attributes jsonb, concepts jsonb, origin text)
    LANGUAGE sql STABLE AS $$
    SELECT t.path, l.place::int, f[2], f[3], f[1], strpos(t.text, l.line) - 1, strpos(t.text, l.line) - 1 + length(f[1]), 'plan', f[4]::real, f[5],
           'current', f[6], 'unconditional', NULL, '[]'::jsonb,
           CASE WHEN f[7] = '' THEN '[]' ELSE jsonb_build_array(jsonb_build_object('system', split_part(f[7], '|', 1), 'code', split_part(f[7], '|', 2)
               || CASE WHEN fhir.lexicon_version() = 'two' AND f[7] LIKE '%changed' THEN '2' ELSE '' END, 'display', f[1], 'score', 0.9)) END, 'term'
    FROM fhir.resource_texts(resource) t, string_to_table(t.text, E'\n') WITH ORDINALITY l(line, place), string_to_array(l.line, '/') f
    WHERE cardinality(f) > 1 AND f[4]::real >= min_score AND (categories IS NULL OR f[2] = ANY (categories))
      AND (f[1] NOT LIKE 'only two%' OR fhir.lexicon_version() = 'two') $$;
CREATE FUNCTION note(id text, patient text, text text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_build_object('resourceType', 'DocumentReference', 'id', id, 'status', 'current', 'date', '2024-05-01T10:00:00Z', 'subject', jsonb_build_object('reference', 'Patient/' || patient),
        'content', jsonb_build_array(jsonb_build_object('attachment', jsonb_build_object('contentType', 'text/plain', 'data', translate(encode(convert_to(text, 'UTF8'), 'base64'), E'\n', ''))))) $$;
SELECT fhir.create_lake();
RESET client_min_messages;
SELECT fhir.set_notes('on-write', min_score => 0);
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p","gender":"male"}'), ('{"resourceType":"Patient","id":"q","gender":"female"}');
INSERT INTO lake.documentreference (resource) VALUES
    (note('htn', 'p', E'Essential hypertension/MEDICAL_CONDITION/DX_NAME/0.95/positive/patient/icd|I10\ndiabetes/MEDICAL_CONDITION/DX_NAME/0.9/negative/patient/icd|E11')),
    (note('no-htn', 'q', E'hypertension/MEDICAL_CONDITION/DX_NAME/0.85/negative/patient/icd|I10\ndiabetes/MEDICAL_CONDITION/DX_NAME/0.6/positive/patient/icd|E11')),
    (note('drug', 'q', E'Advil 200/MEDICATION/BRAND_NAME/0.7/positive/patient/unii|WK2XYI10QM\nasthma/MEDICAL_CONDITION/DX_NAME/0.99/positive/family/icd|J45')),
    (note('bare', 'p', E'fever/MEDICAL_CONDITION/SYMPTOM/0.5/possible/patient/')),
    (note('nothing', 'p', 'nothing here'));
INSERT INTO lake.documentreference (resource) VALUES ('{"resourceType":"DocumentReference","id":"text-free","status":"superseded","content":[{"attachment":{"url":"http://x.org/1"}}]}');
CREATE FUNCTION found(search text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT string_agg(r.id, ' ' ORDER BY r.id) FROM fhir.search_rows(search) r $$;
CREATE FUNCTION page(search text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT string_agg(e #>> '{resource,id}', ' ' ORDER BY n) FROM jsonb_array_elements(fhir.search(search) -> 'entry') WITH ORDINALITY x(e, n) $$;

SELECT s AS search, found('DocumentReference?' || s) FROM unnest(ARRAY[
    'entity-code=I10', 'entity-code=icd|I10', 'entity-code=icd|', 'entity-code=|I10', 'entity-code=I10,J45', 'entity-code=icd|I10,unii|WK2XYI10QM',
    -- of one finding
    'entity-code=I10&entity-certainty=positive', 'entity-code=I10&entity-certainty=negative', 'entity-code=E11&entity-certainty=positive',
    'entity-category=MEDICATION&entity-certainty=positive', 'entity-category=medication', 'entity-type=DX_NAME&entity-subject=family', 'entity-section=plan&entity-type=SYMPTOM',
    'entity-temporality=past', 'entity-conditionality=unconditional&entity-code=J45',
    -- of two
    'entity-code=I10&entity-certainty=positive&entity-code=E11&entity-certainty=negative', 'entity-code=I10&entity-code=J45', 'entity-code=unii|WK2XYI10QM&entity-code=J45',
    -- words
    'entity-text=essent', 'entity-text=HYPERTENSION', 'entity-text:contains=tensi', 'entity-text:exact=Advil 200', 'entity-text:exact=advil 200', 'entity-code:text=Essential',
    -- scores
    'entity-score=ge0.95', 'entity-score=gt0.95', 'entity-score=lt0.6', 'entity-score=le0.5', 'entity-score=0.7', 'entity-code=E11&entity-score=ge0.8', 'entity-score=ge0.6&entity-score=le0.7',
    'entity-score=ne0.5', 'entity-score=ap0.5', 'entity-score=lt0.55,ge0.99',
    -- not and missing
    'entity-code:not=I10', 'entity-code=I10&entity-certainty:not=negative', 'entity-certainty:not=negative', 'entity-certainty:not=negative&entity-certainty:not=possible',
    'entity-code:missing=true', 'entity-code:missing=false', 'entity-category:missing=true', 'entity-score:missing=false&entity-type=SYMPTOM',
    -- together with others
    'entity-code=I10&subject=Patient/p', 'entity-code=I10&subject:Patient.gender=female', 'entity-certainty=positive&_id=htn,drug', 'entity-code:not=I10&status=superseded',
    'entity-code-certainty=I10$positive', 'entity-code-certainty=icd|E11$positive', 'entity-type-score=DX_NAME$ge0.99', '_filter=entity-code eq I10 or entity-text co fev',
    -- the names of HealthLake
    'detectEntities-entity-category=MEDICATION', 'detectEntities-entity-text=advil', 'detectEntities-entity-type=SYMPTOM', 'detectEntities-entity-score=ge0.99',
    'detectEntities-entity-text-score=hypertension|ge0.8', 'detectEntities-entity-text-score=hypertension|ge0.9', 'detectEntities-entity-text-category=fever|MEDICAL_CONDITION',
    'detectEntities-entity-category-score=MEDICATION|0.7', 'detectEntities-entity-text-type=advil|BRAND_NAME', 'detectEntities-entity-type-score=DX_NAME|gt0.98',
    'infer-icd10cm-entity-text=hypert', 'infer-icd10cm-entity-text=advil', 'infer-rxnorm-entity-text=advil', 'infer-icd10cm-entity-concept-description=asth'
    ]) WITH ORDINALITY u(s, n) ORDER BY n;
SELECT found('Patient?_has:DocumentReference:subject:entity-code=I10'), found('Patient?_has:DocumentReference:subject:entity-code-certainty=I10$positive'),
       found('?_type=DocumentReference,Patient&entity-code=I10'), found('?entity-code=J45'), found('Patient?entity-code=I10');
SELECT found('DocumentReference?entity-nothing=a');
SELECT found('DocumentReference?entity-score=high');
SELECT found('DocumentReference?entity-text:not=high');
-- AuditEvent has an entity-type of its own
SELECT found('AuditEvent?entity-type=DX_NAME');

-- Pages, order, counts, the past
SELECT page('DocumentReference?entity-category=MEDICAL_CONDITION&_sort=-_id&_count=2'), page('DocumentReference?entity-category=MEDICAL_CONDITION&_sort=_id');
SELECT fhir.search('DocumentReference?entity-category=MEDICAL_CONDITION&_total=accurate&_summary=count') ->> 'total', fhir.search_count('DocumentReference?entity-code=I10');
SELECT clock_timestamp() AS before \gset
UPDATE lake.documentreference SET resource = note('htn', 'p', 'gout/MEDICAL_CONDITION/DX_NAME/0.9/positive/patient/icd|M10') WHERE id = 'htn';
SELECT found('DocumentReference?entity-code=M10'), found('DocumentReference?entity-code=I10'), (SELECT string_agg(r.id, ' ') FROM fhir.search_rows('DocumentReference?entity-code=I10&entity-certainty=positive', as_of => :'before') r);
DELETE FROM lake.documentreference WHERE id = 'drug';
SELECT found('DocumentReference?entity-code=J45');
SELECT r.status, r.answer #>> '{entry,0,resource,id}' FROM fhir.rest('GET', '/DocumentReference?entity-code=M10') r;
SELECT count(*) FROM jsonb_path_query(fhir.capability_statement(), '$.rest[*].resource[*] ? (@.type == "DocumentReference").searchParam[*] ? (@.name starts with "entity-")');

-- By the index, and without reading the resource
SET client_min_messages = error;
INSERT INTO lake.documentreference (resource) SELECT note('many' || i, 'm', 'x' || i || '/MEDICAL_CONDITION/DX_NAME/0.9/positive/patient/icd|X' || i % 500) FROM generate_series(1, 2000) i;
RESET client_min_messages;
ANALYZE lake.entity, lake.documentreference;
CREATE FUNCTION plan(search text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || fhir.search_rows_sql(search) LOOP RETURN NEXT regexp_replace(line, '(Filter|Recheck Cond): .*', '\1'); END LOOP;
END $$;
SELECT plan('DocumentReference?entity-code=icd|X7&entity-certainty=positive');
SELECT fhir.search_count('DocumentReference?entity-code=icd|X7&entity-certainty=positive');

-- Policies: on resources alone, and on findings too
SET client_min_messages = error;
CREATE ROLE regress_entity_reader;
RESET client_min_messages;
SELECT fhir.grant_lake('lake', 'regress_entity_reader', 'read');
ALTER TABLE lake.documentreference ENABLE ROW LEVEL SECURITY;
CREATE POLICY home ON lake.documentreference USING (compartment = 'Patient/q');
SET ROLE regress_entity_reader;
SELECT found('DocumentReference?entity-certainty=positive&entity-text=diab'), found('DocumentReference?entity-code=M10'), found('DocumentReference?entity-code:not=M10');
RESET ROLE;
ALTER TABLE lake.entity ENABLE ROW LEVEL SECURITY;
CREATE POLICY home ON lake.entity USING (compartment = 'Patient/m');
ALTER POLICY home ON lake.documentreference USING (compartment = 'Patient/m');
SET ROLE regress_entity_reader;
SELECT fhir.search_count('DocumentReference?entity-code=icd|X7'), found('DocumentReference?entity-text=diab');
SELECT plan('DocumentReference?entity-code=icd|X7');
RESET ROLE;
SET client_min_messages = error;
DROP OWNED BY regress_entity_reader;
DROP ROLE regress_entity_reader;
SELECT fhir.drop_lake('lake');
