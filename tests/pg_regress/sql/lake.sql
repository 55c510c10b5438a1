-- Question: is a lake made, listed, measured and removed as one thing, with its owner's rights?
\set VERBOSITY default

SELECT fhir.create_lake();
SELECT * FROM fhir.lakes() WHERE owner = current_user AND lake = 'lake';
SELECT count(*) = (SELECT count(*) FROM fhir.resource_types()) AS every_type
FROM pg_inherits WHERE inhparent = 'lake.resource'::regclass;
-- Each partition has the stamp, the keeper and the guard, the key and four indexes.
SELECT count(*), tgname, tgfoid::regproc
FROM pg_trigger JOIN pg_inherits ON inhrelid = tgrelid WHERE inhparent = 'lake.resource'::regclass
GROUP BY 2, 3 ORDER BY 2;
\d lake.patient
SELECT attname, attstorage, attcompression FROM pg_attribute
WHERE attrelid = 'lake.patient'::regclass AND attname IN ('resource', 'search') ORDER BY 1;
-- Every table and column of it that a user meets is described.
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = 'lake'::regnamespace AND c.relkind IN ('r', 'p') AND obj_description(c.oid, 'pg_class') IS NULL;
-- A lake is not the extension's.
SELECT count(*) FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND d.classid = 'pg_class'::regclass
WHERE c.relnamespace = 'lake'::regnamespace AND d.deptype = 'e';

SELECT fhir.create_lake();
SELECT fhir.create_lake('');
SELECT fhir.create_lake(repeat('x', 64));
CREATE SCHEMA mine;
SELECT fhir.create_lake('mine');
SELECT fhir.drop_lake('mine');
SELECT fhir.drop_lake('nothing');

-- A name that needs quotes, and a second lake beside the first.
SELECT fhir.create_lake('My "lake"');
INSERT INTO "My ""lake""".patient (resource) VALUES ('{"resourceType":"Patient","id":"q"}');
SET fhir.lake = 'My "lake"';
SELECT fhir.read('Patient', 'q')->>'id';
SELECT fhir.update('{"resourceType":"Patient","id":"q","active":true}')->'meta'->>'versionId';
SELECT count(*) FROM fhir.history('Patient', 'q');
SELECT type, resources FROM fhir.stats();
SELECT fhir.delete('Patient', 'q');
RESET fhir.lake;
SELECT lake FROM fhir.lakes() ORDER BY 1;
SELECT fhir.drop_lake('My "lake"');

-- Others' objects are not taken along unasked.
CREATE VIEW active AS SELECT resource FROM lake.patient;
\set VERBOSITY terse
SELECT fhir.drop_lake('lake');
SELECT fhir.drop_lake('lake', cascade => true);
\set VERBOSITY default
SELECT * FROM fhir.lakes();

-- Without a lake.
SELECT fhir.read('Patient', 'x');
SELECT fhir.create('{"resourceType":"Patient"}');
SELECT * FROM fhir.stats();
SELECT * FROM fhir.load('/nowhere');

-- Settings.
SHOW fhir.lake;
SET fhir.validation = 'most';
SET fhir.unknown = 1;
