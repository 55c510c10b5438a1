-- Levels of validation, what a lake demands, and the quality of what it holds; docs/validation.md
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
SET search_path = public;
SELECT fhir.create_lake();

CREATE FUNCTION attempt(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE command;
    RETURN 'done';
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;

-- a contact without details breaks pat-1, a period that ends before it begins per-1, a unit's code without system qty-3
CREATE TABLE sample (name text PRIMARY KEY, resource jsonb);
INSERT INTO sample VALUES
    ('good', '{"resourceType": "Patient", "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"}}'),
    ('no text', '{"resourceType": "Patient"}'),
    ('pat-1', '{"resourceType": "Patient", "contact": [{"gender": "male"}, {"name": {"text": "x"}}]}'),
    ('per-1', '{"resourceType": "Patient", "name": [{"family": "x", "period": {"start": "2020-02", "end": "2019"}}]}'),
    ('qty-3', '{"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "valueQuantity": {"value": 1, "code": "mg"}}'),
    ('in an extension', '{"resourceType": "Patient", "_birthDate": {"extension": [{"url": "http://x.org/e", "valuePeriod": {"start": "2020", "end": "2019"}}]}}'),
    ('contained', '{"resourceType": "Patient", "contained": [{"resourceType": "Patient", "id": "c", "meta": {"versionId": "1"}, "contact": [{"gender": "male"}]}]}'),
    ('in a Bundle', '{"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient", "contact": [{"gender": "male"}]}}]}'),
    ('script', '{"resourceType": "Patient", "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}}'),
    ('broken', '{"resourceType": "Patient", "birthDate": "x", "contact": [{"gender": "male"}]}');
SELECT name, i.* FROM sample, fhir.issues(resource, 'invariants') i WHERE rule <> 'dom-6' ORDER BY name COLLATE "C", expression, rule;
SELECT count(*) FROM sample, fhir.issues(resource, 'invariants') i WHERE rule = 'dom-6' AND severity = 'warning';
SELECT name, fhir.is_valid(resource), fhir.is_valid(resource, 'structure') AS structure, fhir.is_valid(resource, 'invariants') AS invariants,
    fhir.is_valid(resource, 'invariants', '{}') AS stable FROM sample ORDER BY name COLLATE "C";
SELECT jsonb_pretty(fhir.validate(resource, 'invariants')) FROM sample WHERE name IN ('good', 'qty-3');
SELECT attempt($$SELECT fhir.is_valid('{}', 'profile')$$);
SELECT attempt($$SELECT * FROM fhir.issues('{}', 'all')$$);
SELECT attempt($$SELECT * FROM fhir.issues('{}', 'invariants', '{http://x.org}')$$);
SELECT * FROM fhir.issues('[]', 'invariants');

-- a CHECK of a user's own table
CREATE TABLE own (resource jsonb CHECK (fhir.is_valid(resource, 'invariants')));
INSERT INTO own SELECT resource FROM sample WHERE name = 'good';
SELECT attempt($$INSERT INTO own SELECT resource FROM sample WHERE name = 'pat-1'$$);

-- bindings, by what the lake has
CREATE FUNCTION marital(code text) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('resourceType', 'Patient', 'maritalStatus', jsonb_build_object('coding',
        jsonb_build_array(jsonb_build_object('system', 'http://x.org/marital', 'code', code))))
$$;
SELECT severity, code, expression, rule FROM fhir.issues(marital('M'), 'bindings') WHERE rule <> 'dom-6';
INSERT INTO lake.valueset (resource) VALUES ('{"resourceType": "ValueSet", "id": "marital", "status": "active",
    "url": "http://hl7.org/fhir/ValueSet/marital-status", "compose": {"include": [{"system": "http://x.org/marital", "concept": [{"code": "M"}, {"code": "S"}]}]}}');
SELECT c, count(i.*) FROM unnest('{M,S,X}'::text[]) c LEFT JOIN LATERAL (SELECT * FROM fhir.issues(marital(c), 'bindings') WHERE rule = 'binding') i ON true GROUP BY 1 ORDER BY 1;
SELECT severity, code, expression, details FROM fhir.issues(marital('X'), 'bindings') WHERE rule = 'binding';
-- what changes is seen by the next statement
UPDATE lake.valueset SET resource = jsonb_set(resource, '{compose,include,0,concept,1,code}', '"X"');
SELECT c, count(i.*) FROM unnest('{M,S,X}'::text[]) c LEFT JOIN LATERAL (SELECT * FROM fhir.issues(marital(c), 'bindings') WHERE rule = 'binding') i ON true GROUP BY 1 ORDER BY 1;

-- profiles, by what the lake has
INSERT INTO lake.structuredefinition (resource) VALUES ('{"resourceType": "StructureDefinition", "id": "named", "url": "http://x.org/named", "version": "1", "name": "Named",
    "status": "active", "kind": "resource", "abstract": false, "type": "Patient", "derivation": "constraint",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "differential": {"element": [{"id": "Patient", "path": "Patient"},
        {"id": "Patient.name", "path": "Patient.name", "min": 1, "mustSupport": true},
        {"id": "Patient.gender", "path": "Patient.gender", "min": 1, "mustSupport": true},
        {"id": "Patient.active", "path": "Patient.active", "fixedBoolean": true}]}}');
SELECT severity, code, expression, rule, profile FROM fhir.issues('{"resourceType": "Patient", "active": false}', 'profile', '{http://x.org/named}') WHERE rule <> 'dom-6';
SELECT severity, code, expression, rule, profile FROM fhir.issues('{"resourceType": "Patient", "meta": {"profile": ["http://x.org/named|1"]}, "name": [{"text": "x"}]}', 'profile') WHERE rule <> 'dom-6';
SELECT severity, code, expression FROM fhir.issues('{"resourceType": "Patient", "meta": {"profile": ["http://x.org/unknown"]}}', 'profile') WHERE rule <> 'dom-6';
SELECT attempt($$SELECT fhir.validate('{"resourceType": "Patient"}', profiles => '{http://x.org/unknown}')$$);
SELECT fhir.is_valid('{"resourceType": "Patient", "name": [{"text": "x"}], "gender": "other"}', 'profile', '{http://x.org/named}');
SELECT * FROM fhir.must_support('{"resourceType": "Patient", "name": [{"text": "x"}, {"text": "y"}]}', 'http://x.org/named');
SELECT attempt($$SELECT * FROM fhir.issues('{"resourceType": "Patient"}', 'profile', '{}', 'nowhere')$$);
SELECT status, jsonb_path_query_array(answer, '$.issue[*].expression[0]') FROM fhir.rest('POST', '/Patient/$validate?profile=http://x.org/named', '{}', '{"resourceType": "Patient", "active": false}');

-- what a lake demands
SELECT attempt($$SELECT fhir.set_validation('strict')$$);
SELECT attempt($$SELECT fhir.set_validation('warn', 'all')$$);
SELECT attempt($$SELECT fhir.set_validation('warn', 'profile', 'Nobody')$$);
SELECT attempt($$SELECT fhir.set_validation('warn', 'profile', profiles => '{http://x.org/named}')$$);
SELECT attempt($$SELECT fhir.set_validation('warn', lake => 'nowhere')$$);
SELECT count(*) FROM fhir.validation() WHERE mode <> 'off';
SELECT fhir.set_validation('enforce', 'invariants');
SELECT mode, level, profiles, count(*) FROM fhir.validation() GROUP BY 1, 2, 3;
SELECT attempt($$INSERT INTO lake.patient (resource) SELECT resource FROM sample WHERE name = 'pat-1'$$);
SELECT attempt($$SELECT fhir.create(resource) FROM sample WHERE name = 'qty-3'$$);
SELECT attempt($$SELECT fhir.create(resource) FROM sample WHERE name = 'no text'$$);
SELECT fhir.set_validation('enforce', 'profile', 'Patient', '{http://x.org/named}');
SELECT type, mode, level, profiles FROM fhir.validation() WHERE type IN ('Patient', 'Observation') ORDER BY 1;
SELECT attempt($$SELECT fhir.create('{"resourceType": "Patient"}')$$);
SELECT attempt($$SELECT fhir.update('{"resourceType": "Patient", "id": "p", "name": [{"text": "x"}], "gender": "other"}')$$);
SELECT attempt($$SELECT fhir.update('{"resourceType": "Patient", "id": "p", "name": [{"text": "x"}]}')$$);
SELECT status, answer -> 'issue' -> 0 ->> 'expression' FROM fhir.rest('POST', '/Patient', '{}', '{"resourceType": "Patient", "gender": "other"}');
-- lines of a client
SET fhir.load_on_error = 'reject';
COPY lake.ndjson FROM stdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
{"resourceType": "Patient", "id": "c1", "name": [{"text": "x"}], "gender": "other"}
{"resourceType": "Patient", "id": "c2", "name": [{"text": "x"}]}
\.
SELECT id FROM lake.patient WHERE id ~ '^[cp]' ORDER BY 1;
SELECT line, expression, reason FROM lake.load_error;
SELECT fhir.loads_in_bulk('lake.patient');
-- the demand is the owner's: a writer who may not read definitions is judged by them all the same
CREATE ROLE validate_writer;
SELECT fhir.grant_lake('lake', 'validate_writer', 'write');
REVOKE SELECT ON lake.structuredefinition FROM validate_writer;
SET ROLE validate_writer;
SELECT attempt($$INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "gender": "other"}')$$);
INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "name": [{"text": "x"}], "gender": "other"}');
SELECT attempt($$SELECT fhir.set_validation('off')$$);
RESET ROLE;
SET client_min_messages = warning;
SELECT fhir.set_validation('warn', 'profile', 'Patient', '{http://x.org/named}');
SELECT attempt($$INSERT INTO lake.patient (resource) VALUES ('{"resourceType": "Patient", "id": "w", "gender": "other"}')$$);
SELECT fhir.set_validation('off');
SELECT count(*) FROM fhir.validation() WHERE mode <> 'off';
SELECT attempt($$INSERT INTO lake.patient (resource) SELECT jsonb_set(resource, '{id}', '"bad"') FROM sample WHERE name = 'pat-1'$$);

-- the quality of what is stored
SELECT type, resources, checked, with_errors FROM fhir.revalidate('invariants');
SELECT type, resources, checked, with_errors FROM fhir.revalidate('invariants');
SELECT type, severity, rule, resources, example FROM fhir.quality() WHERE severity = 'error' AND type IS NOT NULL;
UPDATE lake.patient SET resource = resource - 'contact' WHERE id = 'bad';
DELETE FROM lake.patient WHERE id = 'w';
SELECT type, resources, checked, with_errors FROM fhir.revalidate('invariants', 'Patient');
SELECT type, severity, rule, resources_before, resources_after FROM fhir.quality_changes() WHERE severity = 'error';
SELECT type, resources, checked FROM fhir.revalidate('profile', 'Patient');
SELECT type, resources, checked FROM fhir.revalidate('profile', 'Patient');
UPDATE lake.structuredefinition SET resource = jsonb_set(resource, '{title}', '"x"');
SELECT type, resources, checked FROM fhir.revalidate('profile', 'Patient');
SELECT attempt($$SELECT fhir.revalidate('all')$$);
SELECT attempt($$SELECT fhir.revalidate(lake => 'nowhere')$$);
SELECT count(*) > 0 AS before FROM lake.issue WHERE id = 'p';
SELECT "table" FROM fhir.erase('Patient', 'p');
SELECT count(*) FROM lake.issue WHERE id = 'p';

-- in parallel
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS off) SELECT count(*) FROM lake.patient WHERE NOT fhir.is_valid(resource, 'profile', '{}');
SELECT count(*) FROM lake.patient WHERE NOT fhir.is_valid(resource, 'profile', '{}');

RESET max_parallel_workers_per_gather;

-- warnings hide no error: 1,100 patients without a narrative, and behind them one that breaks pat-1
CREATE TABLE large AS SELECT jsonb_build_object('resourceType', 'Bundle', 'type', 'collection', 'entry', (
    SELECT jsonb_agg(jsonb_build_object('fullUrl', 'urn:uuid:' || gen_random_uuid(), 'resource', '{"resourceType": "Patient"}'::jsonb || CASE WHEN n > 1100 THEN '{"contact": [{"gender": "male"}]}'::jsonb ELSE '{}' END) ORDER BY n)
    FROM generate_series(1, 1101) n)) AS resource;
SELECT fhir.is_valid(resource, 'invariants') AS invariants, fhir.is_valid(resource, 'profile', '{}') AS profile FROM large;
SELECT i.severity, count(*), max(i.expression) FILTER (WHERE i.rule = 'pat-1') FROM large, fhir.issues(resource, 'invariants') i GROUP BY i.severity ORDER BY i.severity;
SELECT i.details FROM large, fhir.issues(resource, 'invariants') i WHERE i.severity = 'information';
SELECT fhir.set_validation('enforce', 'invariants', 'Bundle');
SELECT left(attempt('INSERT INTO lake.bundle (resource) SELECT resource FROM large'), 40);
SELECT fhir.set_validation('off');

-- a definition that cannot be used stops nobody who meets it
INSERT INTO lake.structuredefinition (resource) VALUES ('{"resourceType": "StructureDefinition", "url": "http://x.org/orphan", "name": "Orphan", "status": "active",
    "kind": "resource", "abstract": false, "type": "Patient", "baseDefinition": "http://x.org/nowhere", "derivation": "constraint",
    "differential": {"element": [{"id": "Patient.name", "path": "Patient.name", "min": 1}]}}');
SELECT severity, code, expression, details FROM fhir.issues('{"resourceType": "Patient", "meta": {"profile": ["http://x.org/orphan"]}}', 'profile') WHERE rule <> 'dom-6';
SELECT severity, code, details FROM fhir.issues('{"resourceType": "Patient", "meta": {"profile": ["http://x.org/orphan"]}}', 'profile') WHERE rule <> 'dom-6';
SELECT attempt($$SELECT fhir.is_valid('{"resourceType": "Patient"}', 'profile', '{http://x.org/orphan}')$$);

-- every level can be cancelled: dom-3 asks all references for each of many contained resources
CREATE TABLE slow AS SELECT jsonb_build_object('resourceType', 'Bundle', 'type', 'collection', 'entry', (
    SELECT jsonb_agg(jsonb_build_object('resource', jsonb_build_object('resourceType', 'Patient',
        'contained', (SELECT jsonb_agg(jsonb_build_object('resourceType', 'Organization', 'id', 'o' || n, 'name', 'x')) FROM generate_series(1, 2500) n),
        'generalPractitioner', (SELECT jsonb_agg(jsonb_build_object('reference', '#o' || n)) FROM generate_series(1, 2500) n))))
    FROM generate_series(1, 20))) AS resource;
SELECT fhir.is_valid(resource) FROM slow;
SET statement_timeout = '100ms';
SELECT fhir.is_valid(resource, 'invariants') FROM slow;
SELECT fhir.is_valid(resource, 'profile', '{}') FROM slow;
RESET statement_timeout;

DROP TABLE own, sample, large, slow;
SELECT fhir.drop_lake('lake', cascade => true);
DROP ROLE validate_writer;
