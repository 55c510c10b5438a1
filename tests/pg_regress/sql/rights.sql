-- Question: does a session that has read definitions tell of them only what its user may read now?
\set VERBOSITY terse
SET client_min_messages = error;
DROP ROLE IF EXISTS regress_rights_reader;
CREATE ROLE regress_rights_reader;
RESET client_min_messages;
CREATE FUNCTION attempt(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE query INTO answer;
    RETURN answer;
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT fhir.create_lake('kept');
SET fhir.lake = 'kept';
SELECT fhir.grant_lake('kept', 'regress_rights_reader', 'read');
INSERT INTO kept.codesystem (resource) VALUES
  ('{"resourceType":"CodeSystem","id":"cs","url":"urn:cs","status":"active","content":"complete","hierarchyMeaning":"is-a","concept":[{"code":"a","display":"Alpha","concept":[{"code":"a1"}]}]}'),
  ('{"resourceType":"CodeSystem","id":"open","url":"urn:open","status":"active","content":"complete","concept":[{"code":"o","display":"Open"}]}');
INSERT INTO kept.valueset (resource) VALUES
  ('{"resourceType":"ValueSet","id":"vd","url":"urn:vd","status":"active","compose":{"include":[{"system":"urn:cs","filter":[{"property":"concept","op":"is-a","value":"a"}]}]}}');
INSERT INTO kept.conceptmap (resource) VALUES
  ('{"resourceType":"ConceptMap","id":"m","url":"urn:m","status":"active","group":[{"source":"urn:cs","target":"urn:open","element":[{"code":"a","target":[{"code":"o","equivalence":"equal"}]}]}]}');
INSERT INTO kept.structuredefinition (resource) VALUES
  ('{"resourceType":"StructureDefinition","id":"secret","url":"urn:secret","name":"Secret","status":"active","kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
     "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[{"id":"Patient","path":"Patient"},{"id":"Patient.gender","path":"Patient.gender","min":1,"mustSupport":true},
     {"id":"Patient.maritalStatus","path":"Patient.maritalStatus","binding":{"strength":"required","valueSet":"urn:vd"}}]}}');
-- what each function tells, in one line
CREATE FUNCTION told() RETURNS TABLE (what text, answer text) LANGUAGE sql VOLATILE AS $$
  VALUES ('validate_code', attempt($q$SELECT result FROM fhir.validate_code('urn:vd', 'urn:cs', 'a1')$q$)),
    ('expand', attempt($q$SELECT string_agg(code, ',') FROM fhir.expand('urn:vd')$q$)),
    ('lookup', attempt($q$SELECT display FROM fhir.lookup('urn:cs', 'a')$q$)),
    ('subsumes', attempt($q$SELECT fhir.subsumes('urn:cs', 'a', 'a1')$q$)),
    ('translate', attempt($q$SELECT to_code FROM fhir.translate('a', 'urn:cs')$q$)),
    ('issues', attempt($q$SELECT string_agg(severity || ' ' || code || ' ' || rule, ', ' ORDER BY rule)
        FROM fhir.issues('{"resourceType":"Patient","meta":{"profile":["urn:secret"]}}', 'profile') WHERE rule <> 'dom-6'$q$)),
    ('is_valid', attempt($q$SELECT fhir.is_valid('{"resourceType":"Patient","gender":"male","maritalStatus":{"coding":[{"system":"urn:cs","code":"a1"}]}}', 'profile', '{urn:secret}')$q$)),
    ('must_support', attempt($q$SELECT element FROM fhir.must_support('{"resourceType":"Patient"}', 'urn:secret')$q$))
$$;

-- Row-level security of any of the tables, by a setting: between statements, and within one that the client sends.
CREATE PROCEDURE guard(relation regclass, condition text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
    EXECUTE format('CREATE POLICY known ON %s USING (%s)', relation, condition);
END $$;
CREATE PROCEDURE unguard(relation regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP POLICY known ON %s', relation);
    EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', relation);
END $$;
CALL guard('kept.structuredefinition', $$current_setting('app.tenant', true) = 'a'$$);
SET ROLE regress_rights_reader;
SET app.tenant = 'a';
SELECT * FROM told();
SET app.tenant = 'b';
SELECT * FROM told();
-- one statement, and who it is changes within it
DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY '{a,b,a}'::text[] LOOP
        PERFORM set_config('app.tenant', tenant, false);
        RAISE NOTICE '%: %', tenant, (SELECT string_agg(what || ' ' || answer, '; ') FROM told() WHERE what IN ('issues', 'is_valid', 'must_support'));
    END LOOP;
END $$;
RESET ROLE;
CALL unguard('kept.structuredefinition');

CALL guard('kept.valueset', $$current_setting('app.tenant', true) = 'a'$$);
SET ROLE regress_rights_reader;
DO $$
DECLARE
    tenant text;
BEGIN
    FOREACH tenant IN ARRAY '{a,b,a}'::text[] LOOP
        PERFORM set_config('app.tenant', tenant, false);
        RAISE NOTICE '%: %', tenant, (SELECT string_agg(what || ' ' || answer, '; ') FROM told() WHERE what IN ('validate_code', 'expand', 'is_valid'));
    END LOOP;
END $$;
-- within one query, too
SELECT t.tenant, set_config('app.tenant', t.tenant, false) AS now, (SELECT v.result FROM fhir.validate_code('urn:vd', 'urn:cs', 'a' || left(now.x, 0)) v)
FROM unnest('{a,b,a}'::text[]) WITH ORDINALITY t (tenant, n), LATERAL (SELECT set_config('app.tenant', t.tenant, false) AS x) now ORDER BY n;
RESET ROLE;
CALL unguard('kept.valueset');

-- Concepts: the functions tell those of code systems that are seen; the table needs a policy of its own.
CALL guard('kept.codesystem', $$current_setting('app.tenant', true) = 'a' OR id = 'open'$$);
SET ROLE regress_rights_reader;
SET app.tenant = 'a';
SELECT * FROM told();
SET app.tenant = 'b';
SELECT * FROM told();
SELECT code_system, code FROM kept.concept ORDER BY 1, place;
RESET ROLE;
CALL guard('kept.concept', 'code_system IN (SELECT s.id FROM kept.codesystem s)');
SET ROLE regress_rights_reader;
SELECT code_system, code FROM kept.concept ORDER BY 1, place;
SELECT display FROM fhir.lookup('urn:open', 'o');
SET app.tenant = 'a';
SELECT code_system, code FROM kept.concept ORDER BY 1, place;
SELECT * FROM told() WHERE what IN ('validate_code', 'expand', 'lookup');
RESET ROLE;
-- who writes under that policy goes on
SELECT fhir.grant_lake('kept', 'regress_rights_reader', 'write');
SET ROLE regress_rights_reader;
UPDATE kept.codesystem SET resource = jsonb_set(resource, '{concept,1}', '{"code":"p"}') WHERE id = 'open';
SELECT concepts FROM fhir.load_code_system('urn:loaded', 'SELECT ''l'' AS code', 'query');
SELECT code FROM kept.concept WHERE code_system <> 'cs' ORDER BY 1;
RESET ROLE;
REVOKE INSERT, UPDATE, DELETE ON kept.codesystem, kept.concept FROM regress_rights_reader;
CALL unguard('kept.concept');
CALL unguard('kept.codesystem');

-- What is taken away is taken away at once, whatever was read before.
CREATE FUNCTION without(privilege text) RETURNS TABLE (what text, answer text) LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE regress_rights_reader;
    PERFORM * FROM told();
    RESET ROLE;
    EXECUTE format('REVOKE %s FROM regress_rights_reader', privilege);
    SET LOCAL ROLE regress_rights_reader;
    RETURN QUERY SELECT * FROM told();
    RESET ROLE;
    EXECUTE format('GRANT %s TO regress_rights_reader', privilege);
END $$;
SET ROLE regress_rights_reader;
SELECT * FROM told();
RESET ROLE;
SELECT * FROM without('SELECT ON kept.structuredefinition');
SELECT * FROM without('SELECT ON kept.valueset') WHERE what <> 'is_valid';
SELECT * FROM without('SELECT ON kept.codesystem') WHERE what <> 'is_valid';
SELECT * FROM without('SELECT ON kept.concept');
SELECT * FROM without('SELECT ON kept.conceptmap');
SELECT * FROM without('USAGE ON SCHEMA kept');
-- by another session's statement likewise: the same user, and what it had read
SET ROLE regress_rights_reader;
SELECT result FROM fhir.validate_code('urn:vd', 'urn:cs', 'a1');
RESET ROLE;
REVOKE ALL ON kept.valueset, kept.codesystem FROM regress_rights_reader;
SET ROLE regress_rights_reader;
SELECT result FROM fhir.validate_code('urn:vd', 'urn:cs', 'a1');
RESET ROLE;
SET client_min_messages = error;
SELECT fhir.drop_lake('kept', true);
DROP OWNED BY regress_rights_reader;
DROP ROLE regress_rights_reader;
