#!/usr/bin/env bash
# Question: when the server's processes are killed in the middle of many writes, is every write that a client was told of there
# afterwards with its version, and none half?
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/store/check.sh"
source "$here/store/cluster.sh"

clients=6
work=$(mktemp -d)
touch "$work"/{none,eraser,reverter}.told "$work/none.err"
trap 'cluster_remove crash; wait; rm -rf "$work"' EXIT

# Statements without end for client $1 of round $2. After each, psql prints what the server answered: type, id, version, token.
writes() {
  awk -v c="$1" -v r="$2" '
    BEGIN {
      q = sprintf("%c", 39)
      answer = "SELECT " q "ack" q ", w->>" q "resourceType" q ", w->>" q "id" q ", w->" q "meta" q "->>" q "versionId" q ", tests.token(w) FROM "
      row = " RETURNING " q "ack" q ", type, id, version, tests.token(resource);\n"
      for (k = 1; ; k++) {
        id = q "c" c "-" r "-" k q
        token = c "-" r "-" k "-"
        patient = "tests.patient(" id ", " q token
        tombstone = "SELECT " q "ack" q ", " q "Patient" q ", " id ", %s, " q "none" q
        printf "%sfhir.update(%s1%s)) w;\n", answer, patient, q
        printf "%sfhir.update(%s2%s)) w;\n", answer, patient, q
        printf "%sfhir.update(%s3%s), %s2%s) w;\n", answer, patient, q, q, q
        printf tombstone " WHERE fhir.delete(%sPatient%s, %s);\n", 4, q, q, id
        printf "%sfhir.update(%s5%s)) w;\n", answer, patient, q
        printf "UPDATE lake.patient SET resource = %s6%s) WHERE id = %s%s", patient, q, id, row
        printf "DELETE FROM lake.patient WHERE id = %s RETURNING %sack%s, type, id, version + 1, %snone%s;\n", id, q, q, q, q
        printf "INSERT INTO lake.patient (resource) VALUES (%s8%s))%s", patient, q, row
        printf "%sfhir.create(tests.patient(NULL, %s%s9%s) - %sid%s) w;\n", answer, q, token, q, q, q
        printf "%sfhir.update(tests.patient(%sshared-%d%s, %s%s0%s)) w;\n", answer, q, k % 3, q, q, token, q
        printf "%sfhir.update(tests.appointment(%sa-%d-%d%s)) w;\n", answer, q, c, k % 5, q
        if (k % 3 == 0) printf "%sfhir.create(tests.appointment(NULL) - %sid%s) w;\n", answer, q, q
      }
    }' 2>/dev/null
}

# Transactions of many rows without end; each is told of once it is committed.
batches() {
  awk -v r="$1" -v bundles="$2" '
    BEGIN {
      q = sprintf("%c", 39)
      for (k = 1; ; k++) {
        token = q "batch-" r "-" k q
        print "BEGIN;"
        printf "INSERT INTO lake.observation (resource) SELECT tests.observations(%s, 400);\n", token
        printf "UPDATE lake.observation SET resource = resource || %s{\"status\":\"amended\"}%s WHERE last_updated >= now() AND xid = pg_current_xact_id();\n", q, q
        print "COMMIT;"
        printf "SELECT %sbatch%s, %s, 400;\n", q, q, token
        if (bundles) {
          token = q "bundle-" r "-" k q
          printf "SELECT %sbatch%s, %s, 100 FROM fhir.bundle(tests.bundle(%s, 100));\n", q, q, token, token
        }
      }
    }' 2>/dev/null
}

session() { PGAPPNAME=$1 "$PG_BIN/psql" -XqAt -F ' ' -v ON_ERROR_STOP=1 -d "$PGDATABASE" >>"$work/$1.told" 2>>"$work/$1.err" || true; }

# Records that come and go without a trace: by fhir.purge, and one resource after the other by fhir.erase.
erasures() {
  echo "SET fhir.lake = 'removals';"
  awk -v r="$1" '
    BEGIN {
      q = sprintf("%c", 39)
      for (k = 1; ; k++) {
        token = "e" r "x" k
        printf "SELECT tests.fill(%s%s%s) IS NOT NULL \\g /dev/null\nSELECT %smade%s, %s%s%s;\n", q, token, q, q, q, q, token, q
        if (k % 2) printf "SELECT %sgone%s, %s%s%s FROM (SELECT count(*) FROM fhir.purge(%s%s%s, preview => false, shared => true)) p;\n", q, q, q, token, q, q, token, q
        else printf "SELECT %sgone%s, %s%s%s FROM (SELECT count(e) FROM removals.resource r, fhir.erase(r.type, r.id) e WHERE r.compartment = %sPatient/%s%s) p;\n", q, q, q, token, q, q, token, q
      }
    }' 2>/dev/null
}

# Records that are changed and brought back.
reverts() {
  echo "SET fhir.lake = 'removals';"
  awk -v r="$1" '
    BEGIN {
      q = sprintf("%c", 39)
      for (k = 1; ; k++) {
        token = "v" r "x" k
        printf "SELECT tests.fill(%s%s%s) IS NOT NULL \\g /dev/null\nSELECT clock_timestamp() AS moment \\gset\nSELECT %smade%s, %s%s%s;\n", q, token, q, q, q, q, token, q
        printf "UPDATE removals.observation SET resource = resource || %s{\"status\":\"amended\"}%s WHERE compartment = %sPatient/%s%s;\nSELECT %schanged%s, %s%s%s;\n", q, q, q, token, q, q, q, q, token, q
        printf "SELECT %sreverted%s, %s%s%s FROM (SELECT count(*) FROM fhir.revert_where(%sPatient/%s%s, :%smoment%s, preview => false)) r;\n", q, q, q, token, q, q, token, q, q, q
      }
    }' 2>/dev/null
}

told() { cat "$work"/*.told | wc -l; }
processes() { sql -c "SELECT pid FROM pg_stat_activity WHERE application_name LIKE '$1' AND state = 'active' AND backend_type = 'client backend' $2 LIMIT 1"; }

victim_writer() { processes 'writer-%' ''; }
victim_batch() { processes 'batch' "AND backend_xid IS NOT NULL AND (query LIKE 'UPDATE%' OR query LIKE '%bundle%')"; }
victim_large() { processes 'large' 'AND backend_xid IS NOT NULL'; }
victim_server() { cluster_pid crash; }

victim_eraser() { processes 'eraser' "AND backend_xid IS NOT NULL AND query ~ 'purge|erase'"; }
victim_reverter() { processes 'reverter' "AND backend_xid IS NOT NULL AND query LIKE '%revert_where%'"; }
# While somebody erases and somebody reverts.
victim_server_of_both() { [[ $(victim_eraser) && $(victim_reverter) ]] && cluster_pid crash; }

# round NUMBER NAME VICTIM: clients write; once enough was acknowledged in all ways, a process of the server is killed.
round() {
  local number=$1 name=$2 before client try
  before=$(told)
  for ((client = 1; client <= clients; client++)); do writes "$client" "$number" | session "writer-$client" & done
  batches "$number" "$bundles" | session batch &
  for try in {1..1200}; do
    if (($(told) >= before + 250)) && grep -q "batch-$number-" "$work/batch.told"; then break; fi
    sleep 0.1
  done
  echo "INSERT INTO lake.observation (resource) SELECT tests.observations('large-$number', 200000); SELECT 'batch', 'large-$number', 200000;" | session large &
  for try in {1..600}; do
    [[ ! $(victim_large) ]] || break
    sleep 0.05
  done
  check "$name: clients write" yes "$( (($(told) >= before + 250)) && echo yes || echo "no: $(cat "$work"/*.err | head -n 5)")"
  strike "$name" "$3"
  verify "$number" "$name"
}

# strike NAME VICTIM: kills it, and waits until the server is back.
strike() {
  local try pid=''
  for try in {1..600}; do
    pid=$("$2") && [[ $pid ]] && cluster_owns crash "$pid" && break
    pid=''
    sleep 0.05
  done
  check "$1: there is one of ours to kill" yes "${pid:+yes}"
  kill -9 "$pid"
  wait
  if [[ $2 == victim_server* ]]; then
    cluster_is_gone crash || check "$1: its processes end with it" yes no
    # A process that is ending lets go of the shared memory last, and until then no server starts on it.
    for try in {1..20}; do
      as_server "$PG_BIN/pg_ctl" -D "$place/crash/data" -l "$place/crash/log" -w -t 120 start >/dev/null 2>&1 </dev/null && break
      ((try < 20)) || die "$1: the server did not start again:" "$(as_server tail -n 20 "$place/crash/log")"
      sleep 0.5
    done
  fi
  cluster_settle crash
}

verify() {
  cat "$work"/*.told | sed -n 's/^ack //p' >"$work/ack"
  cat "$work"/*.told | sed -n 's/^batch //p' >"$work/batch_ack"
  sql -c 'TRUNCATE tests.ack, tests.batch_ack' -c "\\copy tests.ack FROM '$work/ack' (DELIMITER ' ')" \
    -c "\\copy tests.batch_ack FROM '$work/batch_ack' (DELIMITER ' ')" -c 'ANALYZE tests.ack'
  check "$2: every acknowledged write is there with its version" '' "$(sql -c "
    TABLE tests.ack EXCEPT SELECT type, id, version, token FROM tests.version LIMIT 5")"
  # A client has at most one write under way when the server dies: that one may be there unacknowledged.
  check "$2: of what was not acknowledged, no more than was under way" t "$(sql -c "
    SELECT count(*) BETWEEN 0 AND $1 * $clients FROM (SELECT type, id, version, token FROM tests.version WHERE type <> 'Observation' EXCEPT TABLE tests.ack) v")"
  check "$2: transactions are there whole or not at all" '' "$(sql -c "
    WITH found AS (SELECT token, count(*) FILTER (WHERE current) AS rows, count(*) AS versions FROM tests.version WHERE type = 'Observation' GROUP BY 1)
    SELECT token, a.size, f.rows, f.versions FROM tests.batch_ack a FULL JOIN found f USING (token)
    WHERE f.rows IS DISTINCT FROM CASE split_part(token, '-', 1) WHEN 'batch' THEN 400 WHEN 'bundle' THEN 100 ELSE 200000 END
       OR f.versions <> f.rows * CASE split_part(token, '-', 1) WHEN 'batch' THEN 2 ELSE 1 END LIMIT 5")"
  check_lake "$2"
  sql -c 'VACUUM'
}

# removals NUMBER NAME VICTIM: records come and go, and one of those who remove or revert is killed, or the server.
removals() {
  local try
  erasures "$1" | session eraser &
  reverts "$1" | session reverter &
  for try in {1..600}; do
    if grep -q "gone e$1x2" "$work/eraser.told" && grep -q "reverted v$1x1" "$work/reverter.told"; then break; fi
    sleep 0.1
  done
  strike "$2" "$3"
  cat "$work"/{eraser,reverter}.told | grep -E '^(made|gone|changed|reverted) ' >"$work/removals"
  sql -c 'TRUNCATE tests.told' -c "\\copy tests.told FROM '$work/removals' (DELIMITER ' ')"
  check "$2: there were some" t "$(sql -c "SELECT array_agg(DISTINCT what) @> '{gone,reverted}' FROM tests.told WHERE token LIKE '_$1x%'")"
  check "$2: what was told to be gone has left nothing" '' "$(sql -c "SELECT r FROM tests.record r JOIN tests.told t USING (token) WHERE t.what = 'gone' LIMIT 5")"
  # 200 observations, patient, appointment; each observation twice, of those that were changed and brought back more often
  check "$2: every record is there whole or not at all" '' "$(sql -c "
    SELECT r FROM tests.record r WHERE (resources, others) IS DISTINCT FROM (202, 2) OR cardinality(current) <> 1
      OR (versions, current[1]) NOT IN ((200, '2 final'), (400, '3 amended'), (600, '4 final')) OR (token LIKE 'e%' AND versions <> 200) LIMIT 5")"
  check "$2: what was told to be written is there" '' "$(sql -c "
    SELECT t, r FROM tests.told t LEFT JOIN tests.record r USING (token)
    WHERE token LIKE 'v%' AND coalesce(r.versions, 0) < CASE t.what WHEN 'made' THEN 200 WHEN 'changed' THEN 400 ELSE 600 END LIMIT 5")"
  # What was under way may have been done without anybody being told.
  check "$2: no more is gone than was under way" t "$(sql -c "
    SELECT count(*) <= $1 FROM (SELECT token FROM tests.told WHERE token LIKE 'e%' GROUP BY token HAVING bool_and(what <> 'gone') EXCEPT SELECT token FROM tests.record) t")"
  check "$2: no reference leads nowhere" '' "$(sql -c "SELECT * FROM fhir.dangling_references(lake => 'removals') LIMIT 5")"
  check_lake "$2" removals
}

cluster_start crash
"$PG_BIN/createdb" "$PGDATABASE"
install_checks
sql -c 'CREATE EXTENSION fhirlake' -c 'SELECT fhir.create_lake()' -f "$store/crash.sql" >/dev/null
bundles=$(sql -c "SELECT 1 FROM pg_proc WHERE pronamespace = 'fhir'::regnamespace AND proname = 'bundle'")
[[ $bundles ]] || skip 'there is no fhir.bundle'

round 1 'a backend is killed' victim_writer
round 2 'a backend is killed in a transaction of many rows' victim_batch
round 3 'a backend is killed in a statement of 200,000 rows' victim_large
round 4 'the server is killed' victim_server
round 5 'the server is killed once more' victim_server
removals 1 'a backend is killed that erases' victim_eraser
removals 2 'a backend is killed that reverts' victim_reverter
removals 3 'the server is killed while somebody erases and somebody reverts' victim_server_of_both
check 'the server recovered each time' 8 "$(as_server cat "$place/crash/log" | grep -c 'automatic recovery in progress')"
echo "$(wc -l <"$work/ack") writes and $(wc -l <"$work/batch_ack") transactions of many rows were acknowledged, $(grep -c '^gone' "$work/removals") records erased, $(grep -c '^reverted' "$work/removals") brought back"
finish
