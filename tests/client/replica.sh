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
  "SELECT fhir.count('Observation?code=8867-4'), fhir.count('Patient?gender=male'), fhir.count('Observation?date=ge2015')"
  "SELECT r FROM fhir.search_rows('Patient?active=true') r ORDER BY r.id"
  "SELECT h FROM fhir.history('Observation', 'o3') h"
  "SELECT h FROM fhir.history(count => 50) h"
  "SELECT fhir.history_bundle('Patient/s1/_history')"
  "SELECT fhir.everything('s1')"
  "SELECT r FROM fhir.everything_rows('s2') r ORDER BY r.type, r.id"
  "SELECT t FROM fhir.timeline('s1') t"
  "SELECT id FROM lake.observation WHERE search OPERATOR(fhir.|=) 'value-quantity=lt3' ORDER BY id"
  "SELECT fhir.diff('Patient', 's1', 1, 3)"
  "SELECT s FROM fhir.stats() s"
  "SELECT md5(string_agg(r::text, '' ORDER BY type, id)) FROM lake.resource r"
  "SELECT md5(string_agg(h::text, '' ORDER BY type, id, version)) FROM lake.history h"
  "SELECT md5(string_agg(m::text, '' ORDER BY m::text)) FROM lake.membership m"
)
# No clock in an answer, so that the same question has the same answer.
for statement in "${reads[@]}"; do
  on primary -c "$statement" >"$work/primary" 2>&1 || echo 'it failed' >>"$work/primary"
  on replica -c 'SET default_transaction_read_only = on' -c "$statement" >"$work/replica" 2>&1 || true
  check "the same: $statement" '' "$(diff "$work/primary" "$work/replica" | head -n 5)"
  check "and an answer: $statement" yes "$([[ -s $work/primary ]] && ! grep -q 'ERROR' "$work/primary" && echo yes || head -n 3 "$work/primary")"
  # The primary itself, told not to write.
  check "in a read-only transaction: $statement" '' "$(on primary -c 'SET default_transaction_read_only = on' -c "$statement" 2>&1 | diff "$work/primary" - | head -n 5)"
done

writes=(
  "SELECT fhir.create('{\"resourceType\":\"Patient\"}')"
  "SELECT fhir.create('{\"resourceType\":\"Patient\"}', 'family=nobody')"
  "SELECT fhir.update('{\"resourceType\":\"Patient\",\"id\":\"s1\",\"active\":false}')"
  "SELECT fhir.update('{\"resourceType\":\"Patient\",\"id\":\"s1\",\"active\":false}', if_match => '3')"
  "SELECT fhir.delete('Patient', 's1')"
  "SELECT fhir.delete_where('Patient?family=f1', true)"
  "INSERT INTO lake.patient (resource) VALUES ('{\"resourceType\":\"Patient\"}')"
  "DELETE FROM lake.patient"
)
for statement in "${writes[@]}"; do
  check "the replica refuses: $statement" 25006 "$(on replica -v VERBOSITY=sqlstate -c "$statement" 2>&1 | sed -n 's/^ERROR:  //p')"
  check "so does a read-only transaction: $statement" 25006 "$(on primary -v VERBOSITY=sqlstate -c 'SET default_transaction_read_only = on' -c "$statement" 2>&1 | sed -n 's/^ERROR:  //p')"
done

# It takes over: the lake is whole, and writes go on where the primary stopped.
cluster_stop primary fast
cluster_use replica
as_server "$PG_BIN/pg_ctl" -D "$place/replica/data" -w -t 60 promote >/dev/null </dev/null
check 'it takes over, and versions go on' 4 "$(sql -c "SELECT fhir.update('{\"resourceType\":\"Patient\",\"id\":\"s1\",\"active\":false}', if_match => '3')->'meta'->>'versionId'")"
check_lake 'after taking over'
finish
