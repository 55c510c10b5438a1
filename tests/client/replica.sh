#!/usr/bin/env bash
# Question: does a streaming replica answer every read as its primary does, byte for byte, and refuse writes as the server does?
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/store/check.sh"
source "$here/store/cluster.sh"

work=$(mktemp -d)
trap 'cluster_remove replica; cluster_remove primary; rm -rf "$work"' EXIT

cluster_start primary
"$PG_BIN/createdb" "$PGDATABASE"
install_checks
sql -c 'CREATE EXTENSION fhirlake' -c 'SELECT fhir.create_lake()' >/dev/null

# A physical copy of the primary that follows it, in the place of a cluster of that name.
replica_start() {
  local user socket
  user=$(server_user)
  cluster_remove replica
  install -d -m 700 -o "$user" -g "$(id -gn "$user")" "$place/replica" "$place/replica/run"
  socket=$place/replica/run
  if ((${#socket} > 80)); then
    socket=$(as_server mktemp -d /tmp/fhirlake.XXXXXX)
    echo "$socket" >"$place/replica/socket"
  fi
  as_server "$PG_BIN/pg_basebackup" -h "$(cluster_socket primary)" -p 54015 -U postgres -D "$place/replica/data" -R -X stream -c fast --no-sync >"$work/backup" 2>&1 ||
    die "$(cat "$work/backup")"
  echo "unix_socket_directories = '$socket'" | as_server tee -a "$place/replica/data/postgresql.conf" >/dev/null
  as_server "$PG_BIN/pg_ctl" -D "$place/replica/data" -l "$place/replica/log" -w -t 60 start >/dev/null </dev/null ||
    die "the replica did not start:" "$(as_server tail -n 20 "$place/replica/log")"
}
on() { cluster_use "$1"; shift; sql "$@"; }
# Waits until the replica has replayed what the primary has written.
caught_up() {
  local lsn try
  lsn=$(on primary -c 'SELECT pg_current_wal_insert_lsn()')
  for try in {1..600}; do
    [[ $(on replica -c "SELECT pg_last_wal_replay_lsn() >= '$lsn'") == t ]] && return
    sleep 0.1
  done
  check 'the replica follows' yes no
}

# Some before the copy is taken, the rest streamed: inserts, updates, deletes, aborted ones, an index made and a vacuum.
on primary >/dev/null <<'SQL'
INSERT INTO lake.patient (resource) SELECT format('{"resourceType":"Patient","id":"s%s","gender":"%s","name":[{"family":"f%s"}],"birthDate":"19%s-01-01"}', i, (ARRAY['male', 'female'])[1 + i % 2], i % 7, 50 + i % 50)::jsonb FROM generate_series(1, 200) i;
SQL
replica_start
on primary >/dev/null <<'SQL'
INSERT INTO lake.observation (resource) SELECT format('{"resourceType":"Observation","id":"o%s","status":"final","subject":{"reference":"Patient/s%s"},"effectiveDateTime":"20%s-02-03","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"valueQuantity":{"value":%s,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}', i, 1 + i % 20, 10 + i % 10, i % 90)::jsonb FROM generate_series(1, 3000) i;
INSERT INTO lake.observation (resource) SELECT format('{"resourceType":"Observation","id":"d%s","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/gone"}}', i)::jsonb FROM generate_series(1, 3) i;
INSERT INTO lake.basic (resource) VALUES ('{"resourceType":"Basic","id":"b","code":{"text":"x"},"extension":[{"url":"http://x.org","valueReference":{"reference":"Device/gone"}}]}');
INSERT INTO lake.appointment (resource) SELECT format('{"resourceType":"Appointment","id":"a%s","status":"booked","start":"2024-01-01T10:00:00Z","participant":[{"actor":{"reference":"Patient/s1"},"status":"accepted"},{"actor":{"reference":"Patient/s%s"},"status":"accepted"}]}', i, 1 + i % 5)::jsonb FROM generate_series(1, 40) i;
INSERT INTO lake.ndjson SELECT format('{"resourceType":"Observation","id":"b%s","status":"final","subject":{"reference":"Patient/s%s"},"code":{"coding":[{"system":"http://loinc.org","code":"%s-1"}]}}', i, 1 + i % 20, i % 9) FROM generate_series(1, 3000) i;
INSERT INTO lake.ndjson SELECT format('{"resourceType":"Appointment","id":"a%s","status":"booked","participant":[{"actor":{"reference":"Patient/s1"},"status":"accepted"},{"actor":{"reference":"Patient/s%s"},"status":"accepted"}]}', i, 1 + i % 5) FROM generate_series(30, 60) i;
UPDATE lake.patient SET resource = resource || '{"active":true}' WHERE id IN ('s1', 's2', 's3');
SELECT fhir.update(fhir.read('Patient', 's1') || '{"deceasedBoolean":false}', if_match => 'W/"2"');
DELETE FROM lake.observation WHERE id IN ('o1', 'o2', 'o3');
SELECT fhir.update('{"resourceType":"Observation","id":"o3","status":"final","code":{"text":"back"},"subject":{"reference":"Patient/s1"}}');
BEGIN; INSERT INTO lake.observation (resource) SELECT resource - 'id' FROM lake.observation; ROLLBACK;
VACUUM lake.observation;
SQL
caught_up
check 'it is a replica' t "$(on replica -c 'SELECT pg_is_in_recovery()')"

# Exports write files, not the lake.
mkdir "$work/out"
chmod 711 "$work"
chmod 777 "$work/out"

# Everything a client may read. What a function answers is compared as text: byte for byte.
reads=(
  "SELECT fhir.read('Patient', 's1')"
  "SELECT fhir.vread('Patient', 's1', 2)"
  "SELECT fhir.search('Patient?family=f3&_count=10&_total=accurate')"
  "SELECT fhir.search('Observation?subject=Patient/s7&code=8867-4&_sort=-date&_count=20')"
  "SELECT fhir.search('Observation?value-quantity=gt80&_include=Observation:subject&_count=5')"
  "SELECT fhir.search('Patient?_has:Observation:subject:date=ge2019&_count=5')"
  "SELECT fhir.search('Observation?patient.name=f2&_count=5&_elements=status')"
  "SELECT fhir.search('Appointment?patient=Patient/s2&_total=accurate')"
  "SELECT fhir.search('Patient?_id=s1', as_of => (SELECT last_updated FROM lake.history WHERE (type, id, version) = ('Patient', 's1', 1)))"
  "SELECT id FROM lake.observation WHERE search OPERATOR(fhir.|=) 'code=http://loinc.org|4-1' ORDER BY id"
  "SELECT fhir.search_count('Observation?code=8867-4'), fhir.search_count('Patient?gender=male'), fhir.search_count('Observation?date=ge2015')"
  "SELECT r FROM fhir.search_rows('Patient?active=true') r ORDER BY r.id"
  "SELECT h FROM fhir.history('Observation', 'o3') h"
  "SELECT h FROM fhir.history(count => 50) h"
  "SELECT fhir.history_bundle('Patient/s1/_history')"
  "SELECT fhir.everything('s1')"
  "SELECT r FROM fhir.everything_rows('s2') r ORDER BY r.type, r.id"
  "SELECT t FROM fhir.timeline('s1') t"
  "SELECT id FROM lake.observation WHERE search OPERATOR(fhir.|=) 'value-quantity=lt3' ORDER BY id"
  "SELECT fhir.diff('Patient', 's1', 1, 3)"
  "SELECT type, resources FROM fhir.stats()"
  "SELECT fhir.integrity(), d FROM fhir.dangling_references() d ORDER BY d"
  "SELECT d FROM fhir.dangling_references('Observation') d ORDER BY d"
  "SELECT r FROM fhir.referring('{Patient/s1,Patient/gone}') r ORDER BY r"
  "SELECT p FROM fhir.purge('Patient/s4') p"
  "SELECT fhir.revert('Patient', 's2', version => 1)"
  "SELECT r FROM fhir.revert_where('Patient/s1', '2020-01-01') r"
  "SELECT status, answer - 'date' FROM fhir.rest('GET', '/metadata')"
  "SELECT r FROM fhir.rest('GET', '/Patient/s1', '{\"If-None-Match\": \"W/\\\"3\\\"\"}') r"
  "SELECT r FROM fhir.rest('GET', '/Patient/s1/_history/2') r"
  "SELECT r FROM fhir.rest('GET', '/Patient/nobody') r"
  "SELECT r FROM fhir.rest('GET', '/Observation/o1') r"
  "SELECT r FROM fhir.rest('GET', '/Observation?subject=Patient/s7&_count=3&_sort=-date') r"
  "SELECT r FROM fhir.rest('POST', '/Patient/_search', '{\"Content-Type\": \"application/x-www-form-urlencoded\"}', 'family=f3&_count=2') r"
  "SELECT r FROM fhir.rest('GET', '/Patient/s1/\$everything?_count=5') r"
  "SELECT r FROM fhir.rest('GET', '/Patient/_history?_count=5') r"
  "SELECT r FROM fhir.rest('POST', '/', body => '{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{\"request\":{\"method\":\"GET\",\"url\":\"Patient/s1\"}},{\"request\":{\"method\":\"GET\",\"url\":\"Patient?family=f3&_count=2\"}}]}') r"
  "SELECT p.id, i FROM lake.patient p, fhir.issues(p.resource, 'profile') i WHERE p.id IN ('s1', 's2') ORDER BY p.id, i"
  "SELECT fhir.validate(resource, 'bindings') FROM lake.observation WHERE id = 'o3'"
  "SELECT v FROM fhir.validation() v WHERE v.type IN ('Patient', 'Observation')"
  "SELECT count(*) FROM lake.observation WHERE NOT fhir.is_valid(resource, 'invariants')"
  "SELECT e FROM fhir.expand('http://hl7.org/fhir/ValueSet/administrative-gender') e ORDER BY e"
  "SELECT fhir.path(resource, 'name.family | birthDate') FROM lake.patient WHERE id = 's1'"
  "SELECT type, resources, bytes FROM fhir.export('$work/out', since => '2000-01-01', history => true, overwrite => true)"
  "SELECT exported, bytes FROM fhir.export_query('SELECT id, version, resource FROM lake.patient ORDER BY id', '$work/out/q.parquet', overwrite => true)"
  "SELECT fhir.export_sql(types => '{Patient,Observation}', of => 'Patient/s1')"
  "SELECT md5(string_agg(r::text, '' ORDER BY type, id)) FROM lake.resource r"
  "SELECT md5(string_agg(h::text, '' ORDER BY type, id, version)) FROM lake.history h"
  "SELECT md5(string_agg(m::text, '' ORDER BY m::text)) FROM lake.membership m"
)
for statement in "${reads[@]}"; do printf '%s;\n' "$statement"; done >"$work/reads.sql"
# answers SERVER FILE [STATEMENT]: what all of them give, each behind the statement itself.
answers() { on "$1" -a -v ON_ERROR_STOP=0 ${3:+-c "$3"} -f "$work/reads.sql" >"$2" 2>&1; }
# same WHEN: no clock in an answer, so that the same question has the same answer.
same() {
  answers primary "$work/primary"
  answers replica "$work/replica"
  check "$1 the replica answers as the primary" '' "$(diff "$work/primary" "$work/replica" | head -n 10 | cut -c 1-2000)"
  check "$1 all have an answer" '' "$(grep 'ERROR' "$work/primary" | head -n 3)"
  check "$1 nothing is left out" "${#reads[@]}" "$(grep -cFxf "$work/reads.sql" "$work/primary")"
}
same 'at first'
# The primary itself, told not to write.
answers primary "$work/told" 'SET default_transaction_read_only = on'
check 'a read-only transaction answers as any' '' "$(grep -v '^SET default' "$work/told" | diff "$work/primary" - | head -n 10 | cut -c 1-2000)"

writes=(
  "SELECT fhir.create('{\"resourceType\":\"Patient\"}')"
  "SELECT fhir.create('{\"resourceType\":\"Patient\"}', 'family=nobody')"
  "SELECT fhir.update('{\"resourceType\":\"Patient\",\"id\":\"s1\",\"active\":false}')"
  "SELECT fhir.update('{\"resourceType\":\"Patient\",\"id\":\"s1\",\"active\":false}', if_match => '3')"
  "SELECT fhir.delete('Patient', 's1')"
  "SELECT fhir.delete_where('Patient?family=f1', true)"
  "SELECT fhir.bundle('{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{\"resource\":{\"resourceType\":\"Patient\"},\"request\":{\"method\":\"POST\",\"url\":\"Patient\"}}]}')"
  "SELECT fhir.erase('Patient', 's1')"
  "SELECT fhir.purge('Patient/s1', preview => false)"
  "SELECT fhir.revert('Patient', 's1', version => 1, preview => false)"
  "SELECT fhir.revert_where('Patient/s1', '2020-01-01', preview => false)"
  "SELECT fhir.patch('Patient', 's1', '[{\"op\":\"add\",\"path\":\"/active\",\"value\":false}]')"
  "SELECT fhir.meta_add('Patient', 's1', '{\"tag\":[{\"code\":\"x\"}]}')"
  "SELECT fhir.set_integrity('warn')"
  "SELECT fhir.create_lake('another')"
  "INSERT INTO lake.patient (resource) VALUES ('{\"resourceType\":\"Patient\"}')"
  "DELETE FROM lake.patient"
)
for statement in "${writes[@]}"; do
  check "the replica refuses: $statement" 25006 "$(on replica -v VERBOSITY=sqlstate -c "$statement" 2>&1 | sed -n 's/^ERROR:  //p')"
  check "so does a read-only transaction: $statement" 25006 "$(on primary -v VERBOSITY=sqlstate -c 'SET default_transaction_read_only = on' -c "$statement" 2>&1 | sed -n 's/^ERROR:  //p')"
done

# rest WHERE METHOD URL [BODY]: the status, and of an OperationOutcome the type of its issue.
rest() {
  on "$1" -F ' ' -v method="$2" -v url="$3" -v body="${4:-}" <<'SQL'
SELECT status, answer->'issue'->0->>'code' FROM fhir.rest(:'method', :'url', '{"Content-Type": "application/fhir+json"}', nullif(:'body', ''));
SQL
}
patient='{"resourceType":"Patient","id":"s1","active":false}'
entry='{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}'
refused='405 not-supported'
# A batch answers each entry by itself.
batch='SELECT answer->'"'entry'"'->0->'"'response'"'->>'"'status'"', answer->'"'entry'"'->1->'"'response'"'->>'"'status'"' FROM fhir.rest('"'POST', '/'"', body => '
batch+="'{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[$entry,{\"request\":{\"method\":\"GET\",\"url\":\"Patient/s1\"}}]}')"
refuses() {
  check "$1: POST" "$refused" "$(rest "$2" POST /Patient '{"resourceType":"Patient"}')"
  check "$1: PUT" "$refused" "$(rest "$2" PUT /Patient/s1 "$patient")"
  check "$1: PUT of what is new" "$refused" "$(rest "$2" PUT /Patient/new "${patient/s1/new}")"
  check "$1: PATCH" "$refused" "$(rest "$2" PATCH /Patient/s1 '{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.active"}]}]}')"
  check "$1: DELETE" "$refused" "$(rest "$2" DELETE /Patient/s1)"
  check "$1: a transaction" "$refused" "$(rest "$2" POST / "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[$entry]}")"
  check "$1: an operation that writes" "$refused" "$(rest "$2" POST "/Patient/s1/\$meta-add" '{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"code":"x"}]}}]}')"
  check "$1: entries of a batch" '405 Method Not Allowed|200 OK' "$(on "$2" -c "$batch")"
}
refuses 'REST on the replica' replica
on primary -c "ALTER DATABASE \"$PGDATABASE\" SET default_transaction_read_only = on"
refuses 'REST on a read-only database' primary
on primary -c 'SET default_transaction_read_only = off' -c "ALTER DATABASE \"$PGDATABASE\" RESET default_transaction_read_only"

# What removes and what brings back, with integrity enforced and without, and one of each that fails.
on primary >/dev/null <<'SQL'
SELECT fhir.erase('Observation', 'o4');
SELECT fhir.purge('Patient/s3', preview => false, shared => true);
SELECT fhir.revert('Patient', 's2', version => 1, preview => false);
DELETE FROM lake.observation WHERE id IN ('o7', 'o8');
SELECT fhir.revert('Observation', 'o7', version => 1, preview => false);
SELECT fhir.revert_where('Patient/s2', (SELECT last_updated FROM lake.history WHERE (type, id, version) = ('Patient', 's2', 1)), preview => false);
SELECT fhir.bundle(jsonb_build_object('resourceType', 'Bundle', 'type', 'transaction', 'entry', (
    SELECT jsonb_agg(jsonb_build_object('fullUrl', 'urn:uuid:' || gen_random_uuid(), 'request', '{"method":"POST","url":"Observation"}'::jsonb, 'resource', resource - 'id'))
    FROM (SELECT resource FROM lake.observation WHERE search OPERATOR(fhir.|=) 'subject=Patient/s5' ORDER BY id LIMIT 50) o)));
SQL
caught_up
same 'after erasing and reverting'
check 'what was purged is not there' '0 0' "$(on replica -F ' ' -c "SELECT (SELECT count(*) FROM lake.resource WHERE compartment = 'Patient/s3'), (SELECT count(*) FROM lake.history WHERE compartment = 'Patient/s3')")"
on primary >/dev/null 2>"$work/refusals" <<'SQL' || true
\set ON_ERROR_STOP off
\set VERBOSITY sqlstate
SELECT fhir.set_integrity('enforce');
DELETE FROM lake.patient WHERE id = 's6';
INSERT INTO lake.observation (resource) VALUES ('{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/nobody"}}');
SELECT fhir.purge('Patient/s8', preview => false, shared => true);
BEGIN; SELECT fhir.purge('Patient/s9', preview => false, shared => true); SELECT fhir.erase('Patient', 's11'); ROLLBACK;
DELETE FROM lake.patient WHERE id ~ '^s1..$';
SELECT fhir.erase('Patient', 's150');
SELECT fhir.revert('Patient', 's101', version => 1, preview => false);
VACUUM lake.observation, lake.patient;
SQL
check 'what breaks a reference was refused on the primary' 'ERROR: 23503 ERROR: 23503' "$(xargs <"$work/refusals")"
caught_up
same 'with integrity enforced'
cluster_use primary
check_lake 'the primary'

# It takes over: the lake is whole, and writes go on where the primary stopped.
cluster_stop primary fast
cluster_use replica
as_server "$PG_BIN/pg_ctl" -D "$place/replica/data" -w -t 60 promote >/dev/null </dev/null
check 'it takes over, and versions go on' 4 "$(sql -c "SELECT fhir.update('{\"resourceType\":\"Patient\",\"id\":\"s1\",\"active\":false}', if_match => '3')->'meta'->>'versionId'")"
check_lake 'after taking over'
finish
