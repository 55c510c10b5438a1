#!/usr/bin/env bash
# Question: is a database that began with an older version the same, after ALTER EXTENSION … UPDATE and fhir.upgrade_lake, as one
# that began with this version, and has its data stayed?
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/store/check.sh"
root=$(cd "$here/../.." && pwd)

extensions=$("$PG_CONFIG" --sharedir)/extension
if [[ ! -w $extensions ]]; then
  skip "the SQL of older versions cannot be put into $extensions"
  finish; exit
fi
current=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$root/fhirlake.control")
fresh=$PGDATABASE old=${PGDATABASE}_old role=${PGDATABASE}_owner
work=$(mktemp -d)
clean() {
  PGDATABASE=$fresh sql -c 'SET client_min_messages = error' -c "DROP DATABASE IF EXISTS \"$old\"" -c "DROP ROLE IF EXISTS \"$role\"" || true
  rm -rf "$work"
  local script
  for script in "$store"/fhirlake--*.sql; do rm -f "$extensions/${script##*/}"; done
}
trap clean EXIT
in_old() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$old" -c 'SET client_min_messages = warning' "$@" 2>&1; }
# As the owner of the database, who is no superuser.
owner() { in_old -c "SET SESSION AUTHORIZATION \"$role\"" "$@" || true; }
describe() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$1" "${@:2}"; }
# The lines of which only one has it: < lacks after the upgrade, > is there only after it.
difference() { diff "$1" "$2" | grep '^[<>]' | cut -c 1-400 | head -n 20 || true; }

sql -c 'SELECT fhir.create_lake()' >/dev/null
describe "$fresh" -f "$store/extension.sql" >"$work/extension"
describe "$fresh" -v lake=lake -f "$store/lake.sql" >"$work/lake"
check 'what is compared is there' t "$( (($(wc -l <"$work/extension") > 500 && $(wc -l <"$work/lake") > 1000)) && echo t)"

for script in "$store"/fhirlake--*.sql; do
  version=${script##*--} version=${version%.sql}
  cp "$script" "$extensions"
  check "from $version: the upgrade script is what sql/upgrade/make writes" '' "$(difference "$root/sql/fhirlake--$version--$current.sql" <("$root/sql/upgrade/make" "$script"))"

  sql -c 'SET client_min_messages = error' -c "DROP DATABASE IF EXISTS \"$old\"" -c "DROP ROLE IF EXISTS \"$role\"" -c "CREATE ROLE \"$role\"" -c "CREATE DATABASE \"$old\" TEMPLATE template0 OWNER \"$role\""
  # The server looks each C symbol up: the library still has all that the old version calls.
  check "from $version: the new library carries the old version" '' "$(owner -c "CREATE EXTENSION fhirlake VERSION '$version'")"
  owner -f - <<-'SQL' >/dev/null
	SELECT fhir.create_lake();
	INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p1","name":[{"family":"Smith"}]}'), ('{"resourceType":"Patient","id":"p2"}'), ('{"resourceType":"Patient","id":"gone"}');
	INSERT INTO lake.appointment (resource) VALUES ('{"resourceType":"Appointment","id":"a","status":"proposed","participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"},{"actor":{"reference":"Patient/p2"},"status":"accepted"}]}');
	UPDATE lake.patient SET resource = resource || '{"active":true}' WHERE id = 'p1';
	DELETE FROM lake.patient WHERE id = 'gone';
	SELECT fhir.create('{"resourceType":"Patient","name":[{"family":"Smythe"}]}');
	INSERT INTO lake.entity VALUES ('Patient/p1', 'Patient', 'p1', 'Patient.text', 0, 4, 'Rash', 'problem', 'urn:s', 'rash'), ('Patient/p1', 'Patient', 'p1', 'Patient.text', 9, 13, 'pain', 'problem', NULL, NULL);
	SQL
  # The files are replaced before anybody says ALTER EXTENSION.
  check "from $version: the old functions work with the new library" '2|2|1|gone' "$(owner -c "SET fhir.lake = 'lake'" -c "
    SELECT fhir.count('Patient?name=sm'), fhir.read('Patient', 'p1')->'meta'->>'versionId', (SELECT count(*) FROM lake.patient WHERE search OPERATOR(fhir.|=) 'active=true'),
      (SELECT h.id FROM lake.history h WHERE h.method = 'DELETE')")"
  content="SELECT md5(string_agg(r::text, E'\n' ORDER BY r::text COLLATE \"C\")) FROM (SELECT r::text FROM lake.resource r
    UNION ALL SELECT h::text FROM lake.history h UNION ALL SELECT m::text FROM lake.membership m) t (r)"
  before=$(in_old -c "$content")
  files=$(in_old -c "SELECT string_agg(oid || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class WHERE relnamespace = 'lake'::regnamespace AND relkind = 'r'")

  check "from $version: the owner of the database upgrades" '' "$(owner -c 'ALTER EXTENSION fhirlake UPDATE')"
  describe "$old" -f "$store/extension.sql" | sed "s/\"\?$role\"\?/postgres/g" >"$work/extension_old"
  check "from $version: the extension is that of a new installation" '' "$(difference "$work/extension" "$work/extension_old")"

  check "from $version: writes go on" '3|3|2' "$(owner -c "
    SELECT fhir.update('{\"resourceType\":\"Patient\",\"id\":\"p1\",\"name\":[{\"family\":\"Smith\"}],\"active\":false}', if_match => 'W/\"2\"')->'meta'->>'versionId',
      fhir.update('{\"resourceType\":\"Patient\",\"id\":\"gone\"}')->'meta'->>'versionId', fhir.update('{\"resourceType\":\"Patient\",\"id\":\"p2\",\"active\":true}')->'meta'->>'versionId'")"
  check "from $version: history goes on" '3 PUT,2 DELETE,1 PUT' "$(owner -c "SELECT string_agg(version || ' ' || method, ',') FROM fhir.history('Patient', 'gone')")"
  check "from $version: searches go on" '2|p2|t' "$(owner -c "SELECT fhir.search_count('Patient?name=sm'), fhir.search('Patient?active=true')->'entry'->0->'resource'->>'id',
    (SELECT bool_and(fhir.keys_send(search) = fhir.keys_send(fhir.keys(resource))) FROM lake.resource)")"
  check "from $version: those of the past, too" true \
    "$(owner -c "SELECT fhir.search('Patient?_id=p1', as_of => (SELECT h.last_updated FROM lake.history h WHERE (id, version) = ('p1', 2)))->'entry'->0->'resource'->'active'")"
  owner -c "DELETE FROM lake.patient WHERE id IN ('p2', 'gone')" >/dev/null
  before=$(in_old -c "$content")

  in_old -c 'CREATE ROLE upgrade_other' >/dev/null || true
  check "from $version: only the owner upgrades the lake" 'ERROR:  must be owner of lake "lake"' "$(in_old -c 'SET SESSION AUTHORIZATION upgrade_other' -c 'SELECT fhir.upgrade_lake()' | grep ERROR || true)"
  in_old -c 'DROP ROLE upgrade_other' >/dev/null
  echo "from $version, fhir.upgrade_lake: $(owner -c "SELECT fhir.upgrade_lake('lake')" | paste -sd ';')"
  describe "$old" -v lake=lake -f "$store/lake.sql" | sed "s/\"\?$role\"\?/postgres/g" >"$work/lake_old"
  check "from $version: the lake is like a new one" '' "$(difference "$work/lake" "$work/lake_old")"
  check "from $version: findings that others have kept are found" '1|2|pain=0,Rash=1' "$(owner -c "SELECT fhir.search_count('Patient?entity-code=urn:s|rash&entity-text=ra'), (SELECT found FROM lake.entity_run),
    (SELECT string_agg(text || '=' || cardinality(codes), ',' ORDER BY number DESC) FROM lake.entity WHERE status = 'current')")"
  check "from $version: a second time there is nothing to do" '' "$(owner -c 'SELECT fhir.upgrade_lake()')"
  check "from $version: the rows are the same" "$before" "$(in_old -c "$content")"
  # New tables come behind the old ones.
  after=$(in_old -c "SELECT string_agg(oid || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class WHERE relnamespace = 'lake'::regnamespace AND relkind = 'r'")
  check "from $version: no table was rewritten" "$files" "${after:0:${#files}}"
  check "from $version: it goes like any other" '' "$(owner -c 'SELECT fhir.drop_lake($$lake$$)' -c 'DROP EXTENSION fhirlake')"
  rm -f "$extensions/${script##*/}"
done
sql -c 'SELECT fhir.drop_lake($$lake$$)' >/dev/null
finish
