-- The record of a patient in time order.
\pset format unaligned
\pset null ∅
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET client_min_messages = warning;
SELECT fhir.create_lake('timeline_lake');
SET fhir.lake = 'timeline_lake';

INSERT INTO timeline_lake.patient (resource) VALUES
    ('{"resourceType":"Patient","id":"p","name":[{"given":["Ann"],"family":"Lee"}],"birthDate":"1950-02-03"}'),
    ('{"resourceType":"Patient","id":"q","name":[{"text":"Bo"}]}');

-- Dates of every precision, with and without a time zone.
INSERT INTO timeline_lake.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', id, 'status', 'final', 'subject', jsonb_build_object('reference', 'Patient/p'),
    'code', jsonb_build_object('text', id), 'effectiveDateTime', at)
FROM (VALUES ('a-year', '2015'), ('b-month', '2015-03'), ('c-day', '2015-03-02'), ('d-second', '2015-03-02T01:00:00+02:00'),
    ('e-instant', '2015-03-01T23:00:00.250Z'), ('f-west', '2015-02-28T23:30:00-05:00')) AS dates (id, at);

-- Periods: whole, with only a start, with only an end; an end beside a start; nothing at all.
INSERT INTO timeline_lake.encounter (resource) VALUES
    ('{"resourceType":"Encounter","id":"stay","status":"finished","class":{"code":"IMP"},"type":[{"text":"Stay"}],"subject":{"reference":"Patient/p"},"period":{"start":"2014-12-30","end":"2015-01"}}'),
    ('{"resourceType":"Encounter","id":"going-on","status":"in-progress","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"},"subject":{"reference":"Patient/p"},"period":{"start":"2016-05-01T08:00:00Z"}}'),
    ('{"resourceType":"Encounter","id":"only-end","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p"},"period":{"end":"2012-06"}}'),
    ('{"resourceType":"Encounter","id":"undated","status":"planned","class":{"code":"AMB"},"subject":{"reference":"Patient/p"}}');
INSERT INTO timeline_lake.condition (resource) VALUES
    ('{"resourceType":"Condition","id":"over","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"resolved"}]},"code":{"coding":[{"system":"http://snomed.info/sct","code":"195662009","display":"Acute viral pharyngitis"}]},"subject":{"reference":"Patient/p"},"onsetDateTime":"2010-03","abatementDateTime":"2010-04-01T10:00:00Z"}'),
    ('{"resourceType":"Condition","id":"chronic","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"code":{"text":"Hypertension"},"severity":{"text":"mild"},"subject":{"reference":"Patient/p"},"onsetDateTime":"2001"}');

-- Values of each kind.
INSERT INTO timeline_lake.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', 'v-' || id, 'status', 'final', 'subject', jsonb_build_object('reference', 'Patient/p'),
    'code', jsonb_build_object('coding', jsonb_build_array(jsonb_build_object('system', 'http://loinc.org', 'code', id, 'display', 'of ' || id))),
    'effectiveDateTime', '2017-01-01') || body
FROM (VALUES
    ('quantity', '{"valueQuantity":{"value":6.30,"unit":"%"}}'::jsonb),
    ('concept', '{"valueCodeableConcept":{"coding":[{"code":"x","display":"Never smoker"}]}}'),
    ('string', '{"valueString":"see text"}'),
    ('boolean', '{"valueBoolean":false}'),
    ('range', '{"valueRange":{"low":{"value":1,"unit":"mg"},"high":{"value":2,"unit":"mg"}}}'),
    ('ratio', '{"valueRatio":{"numerator":{"value":1},"denominator":{"value":128}}}'),
    ('pressure', '{"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"unit":"mmHg"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg"}}]}'),
    ('parts', '{"component":[{"code":{"text":"Eye"},"valueQuantity":{"value":4}},{"code":{"text":"Verbal"},"valueCodeableConcept":{"text":"clear"}},{"code":{"text":"None"}}]}'),
    ('none', '{"dataAbsentReason":{"text":"unknown"}}')) AS kinds (id, body);

-- What a drug is called may stand in the request, in a contained resource or in another one.
INSERT INTO timeline_lake.medication (resource) VALUES
    ('{"resourceType":"Medication","id":"m","code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"860975","display":"metformin 500 MG"}]}}');
INSERT INTO timeline_lake.medicationrequest (resource) VALUES
    ('{"resourceType":"MedicationRequest","id":"own","status":"active","intent":"order","subject":{"reference":"Patient/p"},"authoredOn":"2018-01-03","medicationCodeableConcept":{"text":"aspirin"},"dosageInstruction":[{"text":"one a day"}]}'),
    ('{"resourceType":"MedicationRequest","id":"other","status":"stopped","intent":"order","subject":{"reference":"Patient/p"},"authoredOn":"2018-01-02","medicationReference":{"reference":"Medication/m"}}'),
    ('{"resourceType":"MedicationRequest","id":"inner","status":"active","intent":"order","subject":{"reference":"Patient/p"},"authoredOn":"2018-01-01","contained":[{"resourceType":"Medication","id":"c","code":{"text":"ibuprofen"}}],"medicationReference":{"reference":"#c"}}'),
    ('{"resourceType":"MedicationRequest","id":"gone","status":"active","intent":"order","subject":{"reference":"Patient/p"},"authoredOn":"2017-12-31","medicationReference":{"reference":"Medication/nowhere","display":"some drug"}}');

-- Of two patients.
INSERT INTO timeline_lake.appointment (resource) VALUES
    ('{"resourceType":"Appointment","id":"both","status":"booked","description":"together","start":"2016-01-01T09:00:00Z","end":"2016-01-01T09:30:00Z","participant":[{"actor":{"reference":"Patient/q"},"status":"accepted"},{"actor":{"reference":"Patient/p"},"status":"accepted"}]}');
ANALYZE timeline_lake.resource;

SELECT * FROM fhir.timeline('p');
-- A page of it, and the other way round.
SELECT occurred, type, id FROM fhir.timeline('Patient/p', count => 3);
SELECT occurred, type, id FROM fhir.timeline('p', newest_first => false, count => 5);
SELECT (SELECT array_agg(id) FROM fhir.timeline('p')) = (SELECT array_agg(id ORDER BY n DESC) FROM fhir.timeline('p', newest_first => false) WITH ORDINALITY AS t (a,b,c,d,e,f,g,h,i,j,id,l,m,n)) AS reversed;
-- What reaches into a time: the year that is all that is known, the stay that began before it, what goes on; nothing undated.
SELECT occurred, "precision", ended, id FROM fhir.timeline('p', '2015-01-10', '2015-03-01');
SELECT id FROM fhir.timeline('p', "to" => '2012');
SELECT id FROM fhir.timeline('p', '2012-06-30', '2012-07');
SELECT id FROM fhir.timeline('p', '2012-07', '2012-08');
SELECT id FROM fhir.timeline('p', '2018', types => '{MedicationRequest,Encounter,Appointment}');
SELECT occurred, type, display, id FROM fhir.timeline('q');

-- The order is that of the indexes, merged: no sort of the record, and the first lines cost no more than themselves.
CREATE FUNCTION pg_temp.plan(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || statement LOOP
        RETURN NEXT substring(line FROM '^(?: *-> +)?((?:Limit|Nested Loop|Merge Append|Incremental Sort|Sort|Append|Index Scan(?: Backward)? using \w+|Seq Scan|Bitmap Heap Scan)[^(]*)');
    END LOOP;
END $$;
INSERT INTO timeline_lake.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', 'many-' || n, 'status', 'final', 'code', '{"text":"many"}'::jsonb,
    'subject', jsonb_build_object('reference', 'Patient/many-' || n % 50), 'effectiveDateTime', to_char(date '2000-01-01' + n, 'YYYY-MM-DD'))
FROM generate_series(1, 10000) n;
INSERT INTO timeline_lake.encounter (resource)
SELECT jsonb_build_object('resourceType', 'Encounter', 'id', 'many-' || n, 'status', 'finished', 'class', '{"code":"AMB"}'::jsonb,
    'subject', jsonb_build_object('reference', 'Patient/many-' || n % 50), 'period', jsonb_build_object('start', to_char(date '2000-01-01' + 5 * n, 'YYYY-MM-DD')))
FROM generate_series(1, 2000) n;
ANALYZE timeline_lake.resource;
SELECT * FROM pg_temp.plan(fhir.timeline_sql('many-7', types => '{Observation,Encounter}', count => 20)) AS line WHERE line IS NOT NULL;
SET enable_sort = off;
SELECT * FROM pg_temp.plan(fhir.timeline_sql('many-7', types => '{Observation,Encounter}', newest_first => false)) AS line WHERE line IS NOT NULL;
RESET enable_sort;
CREATE FUNCTION pg_temp.buffers(statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) ' || statement INTO plan;
    RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
END $$;
-- Also where resources of others are merged in.
INSERT INTO timeline_lake.appointment (resource)
SELECT jsonb_build_object('resourceType', 'Appointment', 'id', 'two-' || n, 'status', 'proposed', 'created', to_char(date '2000-01-01' + 40 * n, 'YYYY-MM-DD'),
    'participant', jsonb_build_array('{"actor":{"reference":"Patient/many-8"},"status":"accepted"}'::jsonb, '{"actor":{"reference":"Patient/many-7"},"status":"accepted"}'::jsonb))
FROM generate_series(1, 100) n;
ANALYZE timeline_lake.appointment, timeline_lake.membership;
SELECT (array_agg(line))[1:3] FROM pg_temp.plan(fhir.timeline_sql('many-7', types => '{Observation,Encounter,Appointment}', count => 20)) AS line WHERE line IS NOT NULL;
SELECT pg_temp.buffers(fhir.timeline_sql('many-7', types => '{Observation,Encounter,Appointment}', count => 20)) < 600 AS few, count(*) FILTER (WHERE type = 'Appointment') AS shared,
    array_agg(occurred) = array_agg(occurred ORDER BY occurred DESC) AS in_order
FROM fhir.timeline('many-7');
DELETE FROM timeline_lake.appointment WHERE id LIKE 'two-%';
SELECT proconfig FROM pg_proc WHERE oid = 'fhir.timeline'::regproc;
SELECT pg_temp.buffers(fhir.timeline_sql('many-7', count => 20)) < 100 AS few, count(*) AS lines FROM fhir.timeline('many-7');

-- A picture of it, of bounded size.
SELECT svg LIKE '<svg xmlns="http://www.w3.org/2000/svg" width="1280"%</svg>%' AS is_svg, svg LIKE '%>Ann Lee</text>%born 1950-02-03%' AS whose,
    svg LIKE '%>Hypertension</text>%active since 2001 · mild%' AS open, svg LIKE '%metformin%' AS told_by_another, svg LIKE '%Not drawn: 1 entry without a date%' AS undated
FROM fhir.timeline_svg('p') AS svg;
INSERT INTO timeline_lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"many-7","name":[{"text":"<script>"}]}');
SELECT length(svg) < 20000 AS small, svg LIKE '%<script%' AS unsafe, svg LIKE '%>240 entries%' OR svg LIKE '%· 240 entries%' AS counted FROM fhir.timeline_svg('many-7', types => '{Observation,Encounter}') AS svg;
-- Of each type only so many, the newest; the foot tells of the others.
SELECT svg LIKE '%>20 entries ·%' AS drawn, substring(svg FROM 'Not drawn: [^<]*') AS foot FROM fhir.timeline_svg('many-7', types => '{Observation,Encounter}', entries => 10) AS svg
UNION ALL SELECT fhir.timeline_svg('many-7', entries => 200) = fhir.timeline_svg('many-7'), substring(fhir.timeline_svg('many-7') FROM 'Not drawn: [^<]*');
SELECT fhir.timeline_svg('p', entries => 0);
SELECT fhir.timeline_svg('p', '2015', '2016', width => 800) LIKE '% width="800"%' AS width;

-- Mistakes.
SELECT fhir.timeline_svg('nobody');
SELECT fhir.timeline_svg('p', width => 10);
SELECT fhir.timeline_svg('p', rows => 0);
SELECT fhir.timeline_svg('p', rows => NULL);
SELECT * FROM fhir.timeline('Group/p');
SELECT * FROM fhir.timeline('p', 'yesterday');
SELECT * FROM fhir.timeline('p', types => '{Observations}');
SELECT * FROM fhir.timeline('p', types => '{}');
SELECT * FROM fhir.timeline('p', count => 0);
SELECT * FROM fhir.timeline('p', lake => 'no such');
SELECT count(*) FROM fhir.timeline(NULL);
SELECT count(*) FROM fhir.timeline('nobody');
SELECT count(*) FROM fhir.event('[]') a, fhir.event('{"resourceType":"Nothing"}') b;
SELECT fhir.until('{}'), fhir.until('{"resourceType":"Observation","effectiveDateTime":"2015-02"}');

-- A plain user sees what the policies of the tables let through.
CREATE ROLE timeline_reader;
SELECT fhir.grant_lake('timeline_lake', 'timeline_reader', 'read');
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT relid FROM pg_partition_tree('timeline_lake.resource')
                    UNION ALL SELECT unnest('{timeline_lake.history,timeline_lake.membership}'::regclass[]) LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
        EXECUTE format('CREATE POLICY home ON %s USING (compartment = current_setting(''app.compartment'', true))', relation);
    END LOOP;
END $$;
SET ROLE timeline_reader;
SELECT count(*) FROM fhir.timeline('p');
SELECT fhir.timeline_svg('p');
SET app.compartment = 'Patient/q';
SELECT count(*) FROM fhir.timeline('p');
SELECT type, id FROM fhir.timeline('q');
SET app.compartment = 'Patient/p';
SELECT count(*), count(*) FILTER (WHERE id = 'both') AS shared FROM fhir.timeline('p');
RESET ROLE;
SET client_min_messages = error;
SELECT fhir.drop_lake('timeline_lake', true);
DROP ROLE timeline_reader;
