-- JSON Schema: what matches, what is told, and what is refused.
\pset null '<null>'

\set schema '{"$schema": "http://json-schema.org/draft-07/schema#", "required": ["birthDate"], "properties": {"birthDate": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}, "identifier": {"minItems": 1, "items": {"required": ["system"]}}, "gender": {"enum": ["male", "female"]}}}'

SELECT fhir.matches_schema('{"resourceType": "Patient", "birthDate": "1970-01-01"}', :'schema');
SELECT * FROM fhir.schema_issues('{"resourceType": "Patient", "birthDate": "1970-01-01"}', :'schema');
SELECT * FROM fhir.schema_issues('{"resourceType": "Patient", "birthDate": "1970", "gender": "other", "identifier": [{"system": "a"}, {"value": "b"}]}', :'schema')
    ORDER BY path;
SELECT * FROM fhir.schema_issues('{"resourceType": "Patient", "valueQuantity": 1}', '{"type": ["array", "null"]}');
SELECT fhir.matches_schema(NULL, '{}'), fhir.matches_schema('{}', NULL);
SELECT fhir.matches_schema('1', 'true'), fhir.matches_schema('"a"', 'false'), fhir.matches_schema('[]', '{}');

-- digits count
SELECT fhir.matches_schema('{"value": 0.1000000000000000000000001}', '{"properties": {"value": {"maximum": 0.1}}}');

-- many values, one schema; many schemas
SELECT count(*) FILTER (WHERE fhir.matches_schema(jsonb_build_object('n', n), '{"properties": {"n": {"multipleOf": 3}}}')) FROM generate_series(1, 1000) n;
SELECT count(*) FILTER (WHERE fhir.matches_schema('{"n": 6}', jsonb_build_object('properties', jsonb_build_object('n', jsonb_build_object('multipleOf', n)))))
    FROM generate_series(1, 10) n;
SELECT n, path, keyword FROM generate_series(1, 3) n, fhir.schema_issues(jsonb_build_object('n', n), '{"properties": {"n": {"const": 2}}}');

-- as a rule of a table
CREATE TABLE json_schema_rule (resource jsonb CHECK (fhir.matches_schema(resource, '{"required": ["id"]}')));
INSERT INTO json_schema_rule VALUES ('{"id": "a"}');
INSERT INTO json_schema_rule VALUES ('{}');
DROP TABLE json_schema_rule;

-- what is no schema
\set VERBOSITY verbose
SELECT fhir.matches_schema('{}', '[]');
SELECT fhir.matches_schema('{}', '{"properties": {"a": {"type": "strin"}}}');
SELECT fhir.matches_schema('{}', '{"$ref": "https://example.org/schema.json"}');
SELECT fhir.matches_schema('{}', '{"$ref": "file:///etc/passwd"}');
SELECT fhir.matches_schema('{}', '{"pattern": "(?=a)b"}');

-- what has no end
SELECT fhir.matches_schema('{"a": 1}', '{"$ref": "#"}');
SELECT fhir.matches_schema((repeat('{"a":', 5000) || '1' || repeat('}', 5000))::jsonb, '{"properties": {"a": {"$ref": "#"}}}');
SELECT fhir.matches_schema('{}', (SELECT jsonb_build_object('$ref', '#/$defs/d0', '$defs', jsonb_object_agg('d' || n, jsonb_build_object('allOf', jsonb_build_array(jsonb_build_object('$ref', '#/$defs/d' || n + 1)))) || '{"d5000": {}}')
    FROM generate_series(0, 4999) n));
\set VERBOSITY default
SET statement_timeout = '200ms';
SELECT fhir.matches_schema('{}', (SELECT jsonb_build_object('$ref', '#/$defs/d0', '$defs', jsonb_object_agg('d' || n, format('{"anyOf": [{"$ref": "#/$defs/d%1$s"}, {"$ref": "#/$defs/d%1$s"}]}', n + 1)::jsonb) || '{"d40": {"type": "string"}}')
    FROM generate_series(0, 39) n));
RESET statement_timeout;
