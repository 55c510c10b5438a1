-- ViewDefinitions of SQL on FHIR v2: what they become, what they show, and what is wrong with bad ones.
SET timezone = 'UTC';
SET search_path = public, fhir;
SELECT create_lake('lake');
INSERT INTO lake.patient (resource) VALUES
    ('{"resourceType": "Patient", "id": "a", "active": true, "gender": "female", "birthDate": "1970-06", "name": [{"use": "official", "family": "Ä", "given": ["B", "C"]}, {"family": "D"}], "telecom": [{"system": "phone", "value": "1"}]}'),
    ('{"resourceType": "Patient", "id": "b", "birthDate": "2001-02-03", "multipleBirthInteger": 2, "name": [{"family": "E"}]}'),
    ('{"resourceType": "Patient", "id": "c"}');
INSERT INTO lake.observation (resource) VALUES
    ('{"resourceType": "Observation", "id": "o", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6", "display": "Systolic"}]}, "subject": {"reference": "Patient/a"}, "effectiveDateTime": "2020-05-17T10:00:00+02:00", "valueQuantity": {"value": 120.50, "unit": "mmHg"}}'),
    ('{"resourceType": "Observation", "id": "t", "status": "final", "code": {"text": "x"}, "subject": {"reference": "Group/a"}, "effectivePeriod": {"start": "2020"}, "valueTime": "12:34:56.5"}');

-- one row a resource: a column is one expression
\set demographics '{"resourceType": "ViewDefinition", "name": "PatientDemographics", "title": "Patients", "description": "who they are", "resource": "Patient", "status": "active", "constant": [{"name": "use", "valueCode": "official"}], "select": [{"column": [{"name": "id", "path": "id", "type": "id"}, {"name": "gender", "path": "gender", "type": "code", "description": "as administered"}, {"name": "birth_date", "path": "birthDate"}, {"name": "family", "path": "name.where(use = %use).family", "type": "string"}, {"name": "given", "path": "name.given", "collection": true}, {"name": "births", "path": "multipleBirth.ofType(integer)"}, {"name": "active", "path": "active"}, {"name": "names", "path": "name", "collection": true}, {"name": "updated", "path": "meta.lastUpdated"}, {"name": "row", "path": "%rowIndex"}]}]}'
SELECT view_sql(:'demographics');
SELECT create_view(:'demographics');
SELECT id, gender, birth_date, family, given, births, active, jsonb_array_length(names), updated > '2020-01-01', row FROM patientdemographics ORDER BY id;
\d+ patientdemographics
SELECT obj_description('patientdemographics'::regclass);
SELECT * FROM view_columns(:'demographics');
SELECT run_view('{"resource": "Patient", "select": [{"column": [{"name": "z", "path": "birthDate"}, {"name": "f", "path": "name.family", "collection": true}]}]}') ORDER BY 1::text;
SELECT count(*) FROM run_view('{"resource": "Patient", "select": [{"column": [{"name": "z", "path": "birthDate"}]}]}', count => 2);

-- rows that repeat
SELECT view_sql('{"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}]}, {"forEachOrNull": "name", "column": [{"name": "n", "path": "%rowIndex"}, {"name": "family", "path": "family"}, {"name": "given", "path": "given", "collection": true}]}]}');
SELECT create_view('{"resource": "Patient", "select": [{"column": [{"name": "id", "path": "id"}]}, {"forEachOrNull": "name", "column": [{"name": "n", "path": "%rowIndex"}, {"name": "family", "path": "family"}, {"name": "given", "path": "given", "collection": true}]}]}', schema => 'public', name => 'Patient names');
SELECT * FROM "Patient names" ORDER BY id, n;
SELECT pg_get_viewdef('"Patient names"'::regclass);

-- every type
SELECT create_view('{"resource": "Observation", "select": [{"column": [{"name": "id", "path": "getResourceKey()"}, {"name": "patient_id", "path": "subject.getReferenceKey(Patient)"}, {"name": "code", "path": "code.coding.first().code"}, {"name": "at", "path": "effective.ofType(dateTime)"}, {"name": "day", "path": "effective.ofType(dateTime)", "type": "date"}, {"name": "since", "path": "effective.ofType(Period).start"}, {"name": "value", "path": "value.ofType(Quantity).value"}, {"name": "value_text", "path": "value.ofType(Quantity).value", "type": "string"}, {"name": "time", "path": "value.ofType(time)"}, {"name": "quantity", "path": "value.ofType(Quantity)"}, {"name": "big", "path": "1 + 2", "tag": [{"name": "ansi/type", "value": "BIGINT"}]}, {"name": "old", "path": "today() > @2020-01-01"}]}], "where": [{"path": "status = ''final''"}]}', name => 'obs');
SELECT * FROM obs ORDER BY id;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'obs'::regclass ORDER BY attnum;

-- a name that is taken, and one that is not
SELECT create_view(:'demographics');
SELECT create_view(:'demographics', replace => true);
SELECT create_view('{"resource": "Patient", "select": [{"column": [{"name": "x", "path": "id"}]}]}', name => 'patientdemographics', replace => true);
SELECT create_view('{"resource": "Patient", "select": [{"column": [{"name": "x", "path": "id"}]}]}');
SELECT create_view(NULL);
SELECT create_view(:'demographics', schema => 'nowhere');
SELECT create_view(:'demographics', lake => 'nowhere');

-- what is wrong, and where
CREATE FUNCTION wrong(view jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    RETURN fhir.view_sql(view);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END $$;
SELECT wrong(view) FROM (VALUES
    ('[]'::jsonb), ('{}'), ('{"resourceType": "Patient", "resource": "Patient"}'), ('{"resource": "Person2"}'), ('{"resource": "DomainResource"}'), ('{"resource": 1}'), ('{"resource": "Patient"}'),
    ('{"resource": "Patient", "name": "a b", "select": []}'),
    ('{"resource": "Patient", "select": [{}]}'), ('{"resource": "Patient", "select": {}}'), ('{"resource": "Patient", "select": [1]}'),
    ('{"resource": "Patient", "select": [{"colum": []}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"path": "id"}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "id"}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "1", "path": "id"}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id"}, {"name": "a", "path": "gender"}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id"}]}, {"select": [{"column": [{"name": "b", "path": "nam.family"}]}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id +"}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id", "type": "strin"}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id", "type": "integer"}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id", "collection": "yes"}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id", "tag": [{"name": "ansi/type", "value": "BLOB"}]}]}]}'),
    ('{"resource": "Patient", "select": [{"forEach": "name", "forEachOrNull": "name", "column": [{"name": "a", "path": "family"}]}]}'),
    ('{"resource": "Patient", "select": [{"forEach": "name", "column": [{"name": "a", "path": "birthDate"}]}]}'),
    ('{"resource": "Patient", "select": [{"repeat": [], "column": [{"name": "a", "path": "id"}]}]}'),
    ('{"resource": "Patient", "select": [{"unionAll": [{"column": [{"name": "a", "path": "id"}]}, {"column": [{"name": "b", "path": "id"}]}]}]}'),
    ('{"resource": "Patient", "select": [{"unionAll": [{"column": [{"name": "a", "path": "id"}]}, {"column": [{"name": "a", "path": "active"}]}]}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id"}]}], "where": [{"path": "name.family"}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id"}]}], "where": [{}]}'),
    ('{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "%b"}]}]}'),
    ('{"resource": "Patient", "constant": [{"name": "b"}], "select": [{"column": [{"name": "a", "path": "%b"}]}]}'),
    ('{"resource": "Patient", "constant": [{"name": "b", "valueDate": "soon"}], "select": [{"column": [{"name": "a", "path": "%b"}]}]}'),
    ('{"resource": "Patient", "constant": [{"name": "b", "valueString": "x''; DROP TABLE y; --\\"}], "select": [{"column": [{"name": "a", "path": "%b & %''b''"}]}]}')
) AS t (view);

-- several values where one can stand, at run time
SELECT create_view('{"resource": "Patient", "select": [{"column": [{"name": "family", "path": "name.family"}]}]}', name => 'many');
SELECT * FROM many;
SELECT run_view('{"resource": "Patient", "select": [{"column": [{"name": "family", "path": "name.family"}]}]}');
SELECT run_view('{"resource": "Patient", "select": [{"repeat": ["$this"], "column": [{"name": "family", "path": "name.family", "collection": true}]}]}', count => 3);
SELECT * FROM lake.patient, view_rows(resource, '{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id"}]}]}') AS f(a text, b text);
SELECT a FROM lake.patient, view_rows(resource, '{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "id"}]}]}') AS f(a point);
SELECT a FROM lake.patient, view_rows(resource, '{"resource": "Patient", "select": [{"column": [{"name": "a", "path": "name.given", "collection": true}]}]}') AS f(a text);

-- who asks sees what he may see
CREATE ROLE view_reader;
GRANT USAGE ON SCHEMA lake, public, fhir TO view_reader;
GRANT SELECT ON patientdemographics TO view_reader;
SET ROLE view_reader;
SELECT count(*) FROM patientdemographics;
RESET ROLE;
SELECT grant_lake('lake', 'view_reader', 'read');
ALTER TABLE lake.patient ENABLE ROW LEVEL SECURITY;
CREATE POLICY one ON lake.patient USING (id = 'b');
SET ROLE view_reader;
SELECT id, family FROM patientdemographics;
RESET ROLE;
DROP OWNED BY view_reader;
DROP ROLE view_reader;

-- documents that are compressed or stored elsewhere are opened once for all columns, and each row has its own
INSERT INTO lake.basic (resource)
SELECT jsonb_build_object('resourceType', 'Basic', 'id', 'b' || n, 'language', 'l' || n, 'code', jsonb_build_object('text', repeat('x' || n, 3000)), 'identifier',
    (SELECT jsonb_agg(jsonb_build_object('value', md5(n || ' ' || m))) FROM generate_series(1, CASE WHEN n % 2 = 0 THEN 3 ELSE 300 END) m))
FROM generate_series(1, 40) n;
SELECT count(*), bool_and(path_text(a.resource, 'language') = 'l' || substr(a.id, 2) AND path_text(a.resource, 'code.text') = repeat('x' || substr(a.id, 2), 3000)
    AND path_text(b.resource, 'language') = 'l' || substr(b.id, 2) AND path_text(b.resource, 'identifier.first().value') = md5(substr(b.id, 2) || ' 1'))
FROM lake.basic a CROSS JOIN lake.basic b;

-- the first example of docs/views.md, with both codes of the panel
INSERT INTO lake.observation (resource)
SELECT jsonb_build_object('resourceType', 'Observation', 'id', 'bp' || code, 'status', 'final', 'subject', jsonb_build_object('reference', 'Patient/p'),
    'code', jsonb_build_object('coding', jsonb_build_array(jsonb_build_object('system', 'http://loinc.org', 'code', code))), 'effectiveDateTime', '2020-02-03T04:05:06Z',
    'component', '[{"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}, "valueQuantity": {"value": 80.5}},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 120}}]'::jsonb)
FROM unnest('{85354-9,55284-4,8867-4}'::text[]) code;
SELECT fhir.create_view($${
  "resourceType": "ViewDefinition",
  "name": "blood_pressure",
  "resource": "Observation",
  "constant": [{"name": "panel", "valueCode": "85354-9"}, {"name": "former_panel", "valueCode": "55284-4"}],
  "select": [{"column": [
    {"name": "id",         "path": "getResourceKey()"},
    {"name": "patient_id", "path": "subject.getReferenceKey(Patient)"},
    {"name": "taken",      "path": "effective.ofType(dateTime)", "description": "when it was measured"},
    {"name": "systolic",   "path": "component.where(code.coding.exists(code = '8480-6')).first().value.ofType(Quantity).value"},
    {"name": "diastolic",  "path": "component.where(code.coding.exists(code = '8462-4')).first().value.ofType(Quantity).value"}]}],
  "where": [{"path": "code.coding.exists(system = %loinc and (code = %panel or code = %former_panel))"}]
}$$);
SELECT id, patient_id, extract(year FROM taken) AS year, systolic, diastolic FROM blood_pressure ORDER BY id;
