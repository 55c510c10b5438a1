#!/usr/bin/env bash
# Question: does a lake survive pg_dump and restore, whole and without a new stamp, and go on where it stopped?
set -euo pipefail

passed=0 failed=0
check() {
  if [[ $2 == "$3" ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED: %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"; fi
}
source=$PGDATABASE target=${PGDATABASE}_restored
work=$(mktemp -d)
trap 'rm -rf "$work"; "$PG_BIN/psql" -XqAt -d "$source" -c "DROP DATABASE IF EXISTS \"$target\"" >/dev/null' EXIT
in_source() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$source" "$@"; }
in_target() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$target" "$@"; }

in_source <<'SQL'
SELECT fhir.create_lake();
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p1","name":[{"family":"Smith"}]}'), ('{"resourceType":"Patient","id":"p2"}'), ('{"resourceType":"Patient","id":"gone"}');
INSERT INTO lake.appointment (resource) VALUES ('{"resourceType":"Appointment","id":"a","status":"proposed","participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"},{"actor":{"reference":"Patient/p2"},"status":"accepted"}]}');
UPDATE lake.patient SET resource = resource || '{"active":true}' WHERE id = 'p1';
DELETE FROM lake.patient WHERE id = 'gone';
INSERT INTO lake.codesystem (resource) VALUES ('{"resourceType":"CodeSystem","id":"c","status":"active","content":"complete","url":"http://x.org/c","concept":[{"code":"a","concept":[{"code":"b"}]}]}');
SELECT fhir.set_validation('enforce', 'invariants', 'Encounter');
SELECT fhir.revalidate('invariants', 'Patient');
SELECT fhir.create_view('{"resourceType":"ViewDefinition","name":"people","resource":"Patient","status":"draft","select":[{"column":[{"name":"id","path":"getResourceKey()"},{"name":"active","path":"active"}]}]}', 'public', materialized => true);
SQL
content="SELECT md5(string_agg(r::text, E'\n' ORDER BY r::text COLLATE \"C\")) FROM (SELECT r::text FROM lake.resource r
  UNION ALL SELECT h::text FROM lake.history h UNION ALL SELECT m::text FROM lake.membership m) t (r)"
before=$(in_source -c "$content")

restore() {
  in_source -c "DROP DATABASE IF EXISTS \"$target\"" -c "CREATE DATABASE \"$target\" TEMPLATE template0"
  "$@"
  check "$1: the rows are the same, stamps and all" "$before" "$(in_target -c "$content")"
  check "$1: it is a lake" lake "$(in_target -c 'SELECT lake FROM fhir.lakes()')"
  check "$1: an insert is stamped" 1 \
    "$(in_target -c "INSERT INTO lake.patient (resource) VALUES ('{\"resourceType\":\"Patient\",\"id\":\"new\"}') RETURNING version")"
  check "$1: an update goes on" 3 \
    "$(in_target -c "UPDATE lake.patient SET resource = resource || '{\"active\":false}' WHERE id = 'p1' RETURNING version")"
  check "$1: a deleted id goes on" 3 \
    "$(in_target -c "INSERT INTO lake.patient (resource) VALUES ('{\"resourceType\":\"Patient\",\"id\":\"gone\"}') RETURNING version")"
  check "$1: what code systems list is there" 'a b' "$(in_target -c "SELECT string_agg(subsumed, ' ' ORDER BY subsumed) FROM fhir.subsumed('http://x.org/c', 'a')")"
  check "$1: the quality is kept" 't' "$(in_target -c "SELECT count(*) > 0 FROM lake.issue WHERE rule = 'dom-6'")"
  check "$1: the index is used" 1 \
    "$(in_target -c "SET enable_seqscan = off" -c "SELECT count(*) FROM lake.patient WHERE search OPERATOR(fhir.|=) 'family=smith'")"
}
plain() {
  "$PG_BIN/pg_dump" -d "$source" -f "$work/plain.sql"
  in_target -f "$work/plain.sql" >/dev/null
}
custom() {
  "$PG_BIN/pg_dump" -d "$source" -Fc -f "$work/custom"
  "$PG_BIN/pg_restore" --exit-on-error -d "$target" "$work/custom"
}
# Data into tables that stand already: their triggers are to be off, as for any tables with triggers.
data_only() {
  "$PG_BIN/pg_dump" -d "$source" -Fc -f "$work/data"
  in_target -c 'CREATE EXTENSION fhirlake' -c 'SELECT fhir.create_lake()' >/dev/null
  "$PG_BIN/pg_restore" --exit-on-error --data-only --disable-triggers -d "$target" "$work/data"
}
# The demands of a lake are triggers, and so part of the dump of its tables.
demands() { check "$1: it demands what it did" 'Encounter enforce invariants' "$(in_target -F ' ' -c "SELECT type, mode, level FROM fhir.validation() WHERE mode <> 'off'")"; }
# Stored rows come as they were, and a refresh knows which of them are of old versions.
stored() {
  check "$1: stored rows are there" 'p1:true p2:' "$(in_target -c "SELECT string_agg(id || ':' || coalesce(active::text, ''), ' ' ORDER BY id) FROM people")"
  check "$1: they are refreshed" 'people|1|3|' "$(in_target -c 'SELECT view, removed, inserted, problem FROM fhir.refresh_views()')"
  check "$1: and are the lake's" 'gone: new: p1:false p2:' "$(in_target -c "SELECT string_agg(id || ':' || coalesce(active::text, ''), ' ' ORDER BY id) FROM people")"
}
restore plain
demands plain
stored plain
restore custom
demands custom
stored custom
in_source -c "SELECT fhir.drop_view('people')"
restore data_only

# What the dump holds of the lake is the user's, and the extension's own objects are not in it.
check 'no object of the extension is dumped' 0 "$(grep -cE '^CREATE (FUNCTION|TYPE|DOMAIN|OPERATOR)' "$work/plain.sql" || true)"

echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
