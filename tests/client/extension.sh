#!/usr/bin/env bash
# Question: who can create the extension, where is it refused, and does it go without taking a lake along?
set -euo pipefail

passed=0 failed=0
# An empty expectation means that nothing may be said.
check() {
  if [[ $2 && $3 == *"$2"* || $3 == "$2" ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED: %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"; fi
}
database=${PGDATABASE}_other role=${PGDATABASE}_owner
admin() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" "$@"; }
clean() { admin -c "DROP DATABASE IF EXISTS \"$database\"" -c "DROP ROLE IF EXISTS \"$role\"" 2>/dev/null; }
trap clean EXIT
clean

# A database in another encoding cannot hold every resource.
for encoding in LATIN1 SQL_ASCII; do
  admin -c "CREATE DATABASE \"$database\" TEMPLATE template0 ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C'"
  check "refused in $encoding" "needs a database in UTF8, this one is in $encoding" \
    "$("$PG_BIN/psql" -XqAt -d "$database" -c 'CREATE EXTENSION fhirlake' 2>&1 || true)"
  admin -c "DROP DATABASE \"$database\""
done

# The owner of a database is no superuser, as with every hosted Postgres.
admin -c "CREATE ROLE \"$role\" LOGIN" -c "CREATE DATABASE \"$database\" TEMPLATE template0 OWNER \"$role\""
owner() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$database" -c "SET SESSION AUTHORIZATION \"$role\"" "$@" 2>&1 || true; }
check 'the database owner creates it' '' "$(owner -c 'CREATE EXTENSION fhirlake')"
check 'and a lake' "lake|$role" "$(owner -c 'SELECT fhir.create_lake()' -c 'SELECT * FROM fhir.lakes()')"
check 'and writes' 1 "$(owner -c "SELECT fhir.create('{\"resourceType\":\"Patient\"}')->'meta'->>'versionId'")"
check 'but loads no files' 'permission denied to load files' "$(owner -c "SELECT * FROM fhir.load('/tmp')")"
check 'no function runs with the rights of another' 0 "$(owner -c "
  SELECT count(*) FROM pg_proc WHERE pronamespace = 'fhir'::regnamespace AND prosecdef")"
check 'everything in it is described' '' "$(owner -c "
  SELECT pg_describe_object(classid, objid, 0) FROM pg_depend
  WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
    AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'fhirlake')
    AND classid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass)
    AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = objid AND classid = 'pg_type'::regclass AND t.typelem <> 0)
    AND obj_description(objid, classid::regclass::text) IS NULL")"

# A lake is the user's: the extension does not go while there is one, unless told to.
check 'a lake keeps it' 'because other objects depend on it' "$(owner -c 'DROP EXTENSION fhirlake')"
check 'without one it goes' '' "$(owner -c 'SELECT fhir.drop_lake($$lake$$)' -c 'DROP EXTENSION fhirlake' -c 'DROP SCHEMA IF EXISTS fhir')"
check 'and comes back' 0.2.0 "$(owner -c 'SET client_min_messages = error' -c 'CREATE EXTENSION fhirlake' -c 'SELECT library FROM fhir.version()')"

echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
