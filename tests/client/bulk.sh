#!/usr/bin/env bash
# Question: does a load by COPY into a lake, from psql, from a pipe and from a driver, hold what other writes hold: beside readers and
# writers of the same resources, when it is cancelled, when its process or the server is killed, and after a crash?
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/store/check.sh"
source "$here/store/cluster.sh"

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; cluster_remove bulk; rm -rf "$work"' EXIT
way="WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"

# lines FROM TO [MARK]: Observations o<FROM> … o<TO>, an Appointment of three patients with every tenth.
lines() {
  awk -v from="$1" -v to="$2" -v mark="${3-}" 'BEGIN {
    for (i = from; i <= to; i++) {
      printf "{\"resourceType\":\"Observation\",\"id\":\"o%d\",\"status\":\"final\",\"code\":{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"%d-4\"}]},\"subject\":{\"reference\":\"Patient/s%d\"},\"effectiveDateTime\":\"20%02d-02-03\",\"valueQuantity\":{\"value\":%d.5},\"note\":[{\"text\":\"\\\"%s\\\" \\\\ %s\"}]}\n", i, 8000 + i % 50, i % 20, i % 30, i % 90, mark, "caf\\u00e9"
      if (i % 10 == 0) printf "{\"resourceType\":\"Appointment\",\"id\":\"a%d\",\"status\":\"booked\",\"start\":\"2024-01-01T10:00:00Z\",\"participant\":[{\"actor\":{\"reference\":\"Patient/s%d\"},\"status\":\"accepted\"},{\"actor\":{\"reference\":\"Patient/s%d\"},\"status\":\"accepted\"},{\"actor\":{\"reference\":\"Patient/s77\"},\"status\":\"accepted\"}]}\n", i, i % 20, i % 20 + 1
    }
  }'
}
copy() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" -c "\\copy lake.ndjson FROM '$1' $way"; }
counts() { sql -c 'SELECT (SELECT count(*) FROM lake.observation), (SELECT count(*) FROM lake.appointment), (SELECT count(*) FROM lake.membership), (SELECT count(*) FROM lake.load)'; }

cluster_start bulk
"$PG_BIN/createdb" "$PGDATABASE"
install_checks
sql -c 'CREATE EXTENSION fhirlake' -c 'SELECT fhir.create_lake()' >/dev/null

# From a file, from a program, from a driver: backslashes, quotes and escapes stay as they are.
lines 1 2000 file >"$work/file"
copy "$work/file"
lines 2001 3000 pipe | gzip >"$work/pipe.gz"
"$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" -c "\\copy lake.ndjson FROM PROGRAM 'gzip -dc $work/pipe.gz' $way"
check 'what the lines say is there' '3000|300|600|2' "$(counts)"
check 'with every character' '"pipe" \ café|"file" \ café' "$(sql -c "SELECT string_agg(resource->'note'->0->>'text', '|' ORDER BY id) FROM lake.observation WHERE id IN ('o7', 'o2007')")"
check_lake 'after two loads'
python=$here/../../.lake/drivers/python/bin/python
if "$python" -c 'import psycopg' 2>/dev/null || { python3 -m venv "${python%/bin/python}" && "$python" -m pip install -q --disable-pip-version-check 'psycopg[binary]==3.2.*'; } >"$work/log" 2>&1; then
  lines 3001 3500 driver >"$work/driver"
  cat >"$work/load.py" <<'PYTHON'
import os, sys, psycopg
with psycopg.connect(dbname=os.environ["PGDATABASE"]) as connection, connection.cursor() as cursor:
    # A column of COPY, escaped by the driver.
    with cursor.copy("COPY lake.ndjson FROM STDIN") as copy:
        for line in open(sys.argv[1], encoding="utf-8"):
            copy.write_row([line])
    # The bytes of a file as they are.
    with cursor.copy("COPY lake.ndjson FROM STDIN WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')") as copy:
        with open(sys.argv[1], "rb") as file:
            while data := file.read(65536):
                copy.write(data)
PYTHON
  check 'psycopg copies' '' "$("$python" "$work/load.py" "$work/driver" 2>&1)"
  check 'the first time all is new, the second time all is there' '0|550|0,550|0|0' "$(sql -c "SELECT string_agg(l, ',') FROM (SELECT concat_ws('|', loaded, unchanged, rejected) l FROM lake.load ORDER BY id DESC LIMIT 2) l")"
  check 'also from a driver' '"driver" \ café' "$(sql -c "SELECT resource->'note'->0->>'text' FROM lake.observation WHERE id = 'o3007'")"
else
  skip "psycopg cannot be installed: $(tail -n 1 "$work/log")"
fi

# Logical decoding, which logical replication reads, has each row once and whole.
if sql -c "SELECT pg_create_logical_replication_slot('bulk', 'test_decoding')" >/dev/null 2>"$work/log"; then
  lines 4001 4500 decoded >"$work/decoded"
  copy "$work/decoded"
  check 'logical decoding' '500 50 100 500' "$(sql -F ' ' -c "
    SELECT count(*) FILTER (WHERE data LIKE 'table lake.observation: INSERT:%'), count(*) FILTER (WHERE data LIKE 'table lake.appointment: INSERT:%'),
      count(*) FILTER (WHERE data LIKE 'table lake.membership: INSERT:%'), count(*) FILTER (WHERE data LIKE '%decoded%search[fhir.keys]:%')
    FROM pg_logical_slot_get_changes('bulk', NULL, NULL)")"
  sql -c "SELECT pg_drop_replication_slot('bulk')" >/dev/null
else
  skip "there is no logical decoding: $(tail -n 1 "$work/log")"
fi

# Readers are not held up, and see all of a load or nothing; writers of other resources, and of the same, go on beside it.
sql -c "SELECT pg_stat_force_next_flush()" >/dev/null
for loader in 1 2 3; do
  lines $((loader * 500 + 1)) $((loader * 500 + 4000)) "by $loader" >"$work/beside.$loader"
done
loader() {
  local try
  for try in {1..20}; do copy "$work/beside.$1" 2>"$work/beside.$1.err" && return; grep -qE 'deadlock detected|at the same time' "$work/beside.$1.err" || return 1; done
}
writer() {
  local i=0
  while [[ ! -e $work/stop ]]; do
    i=$((i + 37))
    echo "SELECT fhir.update(jsonb_build_object('resourceType', 'Observation', 'id', 'o' || $((i % 6000)), 'status', 'amended', 'code', jsonb_build_object('text', '$1')));"
    echo "DELETE FROM lake.observation WHERE id = 'o$(((i + 11) % 6000))';"
    echo "DELETE FROM lake.appointment WHERE id = 'a$(((i * 10) % 6000))';"
  done | "$PG_BIN/psql" -XqAt -d "$PGDATABASE" >/dev/null 2>"$work/writer.$1.err"
}
reader() {
  # A load writes o<n> and a<n> of its own at once.
  while [[ ! -e $work/stop ]]; do
    echo "SET statement_timeout = '20s'; SELECT 'half a load' WHERE (SELECT count(*) FILTER (WHERE id = 'o9001') <> count(*) FILTER (WHERE id = 'o9400') FROM lake.observation WHERE id IN ('o9001', 'o9400'));"
    echo "SELECT 'no date' FROM lake.observation WHERE search OPERATOR(fhir.|=) 'code=8001-4' AND resource->'code'->'coding'->0->>'code' <> '8001-4' LIMIT 1;"
  done | "$PG_BIN/psql" -XqAt -d "$PGDATABASE" 2>&1
}
writer 1 & writer 2 &
reader >"$work/reader" &
for loader in 1 2 3; do loader "$loader" & loaders[loader]=$!; done
status=0
for loader in 1 2 3; do wait "${loaders[loader]}" || status=1; done
lines 9001 9400 whole >"$work/whole"
copy "$work/whole"
touch "$work/stop"
wait
check 'loads beside each other and beside writers end well' "0 " "$status $(cat "$work"/beside.*.err)"
check 'readers saw nothing wrong' '' "$(head -n 5 "$work/reader")"
check 'writers met no error but those that mean: again' '' "$(grep ERROR "$work"/writer.*.err | grep -vE 'deadlock detected|at the same time' | head -n 5 || true)"
check_lake 'after loads beside each other'

# Cancelled, killed, crashed: nothing of the load is there, and the same load goes through afterwards.
lines 10001 60000 large >"$work/large"
before=$(counts)
victim() {
  local try pid
  for try in {1..600}; do
    pid=$(sql -c "SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY%' AND backend_xid IS NOT NULL AND backend_type = 'client backend' AND (SELECT pg_relation_size('lake.observation')) > $1 LIMIT 1")
    [[ $pid ]] && echo "$pid" && return
    sleep 0.05
  done
}
size() { sql -c "SELECT pg_relation_size('lake.observation') + 2000000"; }
for how in cancel kill crash; do
  grown=$(size)
  copy "$work/large" >/dev/null 2>"$work/$how.err" &
  pid=$(victim "$grown")
  check "$how: there is one to stop" yes "${pid:+yes}"
  case $how in
    cancel)
      begin=$(date +%s%N)
      sql -c "SELECT pg_cancel_backend($pid)" >/dev/null
      wait $! || true
      check 'cancel: it answers within a second' yes "$( (($(date +%s%N) - begin < 1000000000)) && echo yes || echo "no")"
      check 'cancel: it tells so' 'ERROR:  canceling statement due to user request' "$(grep -o 'ERROR:.*' "$work/$how.err")"
      ;;
    kill) cluster_owns bulk "$pid" && kill -9 "$pid"; wait $! || true; cluster_settle bulk ;;
    crash)
      # The server alone would not do: the process of the load would bring it to its end.
      kill -9 "$pid" "$(cluster_pid bulk)"
      wait $! || true
      cluster_is_gone bulk || check 'crash: its processes end with it' yes no
      for try in {1..20}; do
        as_server "$PG_BIN/pg_ctl" -D "$place/bulk/data" -l "$place/bulk/log" -w -t 120 start >/dev/null 2>&1 </dev/null && break
        ((try < 20)) || die 'the server did not start again:' "$(as_server tail -n 20 "$place/bulk/log")"
        sleep 0.5
      done
      ;;
  esac
  check "$how: nothing of it is there" "$before" "$(counts)"
  check_lake "$how"
done
lines 10001 14000 again >"$work/again"
copy "$work/again"
# A committed load survives; its places in the tables were those of the loads that did not.
kill -9 "$(cluster_pid bulk)"
cluster_is_gone bulk || true
for try in {1..20}; do
  as_server "$PG_BIN/pg_ctl" -D "$place/bulk/data" -l "$place/bulk/log" -w -t 120 start >/dev/null 2>&1 </dev/null && break
  sleep 0.5
done
check 'a committed load is there after a crash' '4000|400' "$(sql -c "SELECT count(*) FILTER (WHERE type = 'Observation'), count(*) FILTER (WHERE type = 'Appointment') FROM lake.resource WHERE substr(id, 2)::bigint >= 10001")"
check_lake 'after the crash'
sql -c 'VACUUM'
lines 12001 16000 more >"$work/more"
copy "$work/more"
check_lake 'after VACUUM and one more load'
finish
