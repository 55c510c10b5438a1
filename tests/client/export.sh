#!/usr/bin/env bash
# Question: can what fhir.export writes be read by others and loaded again, does the next export miss nothing, and is there no trace
# after a cancel, a killed session, a full disk or a folder that is closed?
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=$here/../../.lake/readers
passed=0 failed=0 skipped=0
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
check() {
  if [[ $2 == "$3" ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED: %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"; fi
}
query() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" "$@"; }
refused() {
  query -c '\set VERBOSITY verbose' -c "$1" >"$work/said" 2>&1 || true
  sed -n 's/.*\(ERROR:  [0-9A-Z]*\):.*/\1/p' "$work/said" | sed -n 1p
}

work=$(mktemp -d) full=
chmod 711 "$work"
trap '[[ -z $full ]] || umount "$full"; rm -rf "$work"' EXIT
# Folders that the server can write to, whoever it runs as.
folder() { mkdir "$work/$1" && chmod 777 "$work/$1"; }
files() { find "$work/$1" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' '; }

query <<'SQL'
SELECT fhir.create_lake();
INSERT INTO lake.patient (resource) VALUES ('{"resourceType":"Patient","id":"p1","name":[{"family":"O''Brien \"\\ é\t"}]}'), ('{"resourceType":"Patient","id":"p2"}'), ('{"resourceType":"Patient","id":"gone"}');
UPDATE lake.patient SET resource = resource || '{"active":true}' WHERE id = 'p1';
DELETE FROM lake.patient WHERE id = 'gone';
-- 60 MB that hardly can be packed.
INSERT INTO lake.basic (resource) SELECT jsonb_build_object('resourceType', 'Basic', 'id', 'b' || n, 'code', jsonb_build_object('text', t))
FROM generate_series(1, 2000) n, LATERAL (SELECT string_agg(md5(n::text || m), '') FROM generate_series(1, 900) m) t (t);
SQL

# By a client, without a file on the server: backslashes and all.
copy="WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')"
query -c "\\copy (SELECT resource FROM lake.patient ORDER BY id) TO '$work/client.ndjson' $copy"
check 'COPY to the client keeps every byte' "$(query -c "SELECT string_agg(resource::text, E'\n' ORDER BY id) FROM lake.patient")" "$(cat "$work/client.ndjson")"
"$PG_BIN/psql" -XqAt -d "$PGDATABASE" >"$work/client.ndjson" <<'SQL'
SELECT format('COPY (%s) TO STDOUT WITH (FORMAT csv, QUOTE E''\x01'', DELIMITER E''\x02'')',
    fhir.export_sql(types => '{Patient}', of => 'Patient/p1', since => '2000-01-01', history => true)) \gexec
SQL
check 'the query of an export does so too' "$(query -c "SELECT resource FROM lake.patient WHERE id = 'p1' UNION ALL SELECT resource FROM lake.history WHERE id = 'p1'")" "$(cat "$work/client.ndjson")"

# A transaction that commits late: its times are before the end of the export that does not see it.
folder first; folder second
query -c "BEGIN; INSERT INTO lake.patient (resource) VALUES ('{\"resourceType\":\"Patient\",\"id\":\"late\"}'); SELECT pg_sleep(3); COMMIT" >/dev/null &
until [[ $(query -c "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()") == 1 ]]; do sleep 0.05; done
query -c "SELECT FROM fhir.export('$work/first', types => '{Patient}')"
wait $!
check 'what is not committed is not exported' 2 "$(wc -l <"$work/first/Patient.ndjson")"
time=$(sed -n 's/.*"transactionTime": "\([^"]*\)".*/\1/p' "$work/first/manifest.json")
query -c "SELECT FROM fhir.export('$work/second', types => '{Patient}', since => '$time')"
check 'what commits late is in the next export' 1 "$(grep -c '"id":"late"' "$work/second/Patient.ndjson")"
snapshot=$(sed -n 's/.*"snapshot": "\([^"]*\)".*/\1/p' "$work/first/manifest.json")
query -c "SELECT FROM fhir.export('$work/second', types => '{Patient}', after => '$snapshot', overwrite => true)"
check 'and by the snapshot it is all that is there' '"id":"late"' "$(grep -o '"id":"[^"]*"' "$work/second/Patient.ndjson")"
query -c "DELETE FROM lake.patient WHERE id = 'late'"

# For other programs.
mkdir "$work/read" && chmod 777 "$work/read"
for kind in parquet gzip zstd; do folder "read/$kind"; done
query <<SQL
SELECT FROM fhir.export('$work/read/parquet', format => 'parquet');
SELECT FROM fhir.export('$work/read/gzip', compression => 'gzip');
SELECT FROM fhir.export('$work/read/zstd', compression => 'zstd');
SELECT FROM fhir.export_query(\$\$
  SELECT n % 2 = 0 AS b, (n % 1000)::smallint AS s, n AS i, n + (1::bigint << 40) - 1 AS l, (n / 2.0)::real AS f, (n / 4.0)::float8 AS d,
    (-12.34 * n)::numeric(10, 2) AS n, 12345678901234567890.12345::numeric(38, 5) AS big, round(n / 7.0, 16) AS free, date '2020-01-01' + n % 1000 AS day,
    timestamptz '2020-01-01 00:00:00.123456+00' AS moment, timestamp '2020-01-01 12:30' AS plain, time '12:34:56' AS t,
    '00112233-4455-6677-8899-aabbccddeeff'::uuid AS u, '\\x00ff'::bytea AS x, 'é' || n AS txt, '{"a":1.10}'::jsonb AS j,
    'infinity'::timestamptz AS never, NULL::integer AS nothing, ARRAY['a', NULL, 'ü'] AS words
  FROM generate_series(1, 200000) n\$\$, '$work/read/query.parquet');
SELECT FROM fhir.export_query('SELECT 1 AS a WHERE false', '$work/read/empty.parquet');
SQL
chmod -R a+rX "$work/read" 2>/dev/null || true
python=$packages/bin/python
if "$python" -c 'import duckdb, pandas, pyarrow, pytz' 2>/dev/null ||
  { python3 -m venv "$packages" && "$python" -m pip install -q --disable-pip-version-check duckdb pandas pyarrow pytz; } >"$work/log" 2>&1; then
  "$python" "$here/export/readers.py" "$work/read" >"$work/out" 2>"$work/err" || { failed=$((failed + 1)); echo 'FAILED: the readers ended early'; tail -n 5 "$work/err"; }
  passed=$((passed + $(grep -c '^ok' "$work/out" || true)))
  failed=$((failed + $(grep -c '^FAILED' "$work/out" || true)))
  grep '^FAILED' "$work/out" || true
else
  skip "duckdb, pandas and pyarrow cannot be installed: $(tail -n 1 "$work/log")"
fi

# Cancelled, ended, refused: the folder is as it was, and nobody waits.
folder cancel
begin=$(date +%s%N)
check 'a cancelled export says so' 'ERROR:  57014' "$(refused "SET statement_timeout = '400ms'; SELECT FROM fhir.export('$work/cancel', compression => 'gzip')")"
check 'at once' 1 "$((($(date +%s%N) - begin) / 1000000 < 2000))"
check 'and leaves nothing' '' "$(files cancel)"
check 'a cancelled query leaves nothing' 'ERROR:  57014' "$(refused "SET statement_timeout = '300ms'; SELECT FROM fhir.export_query('SELECT n, md5(n::text) FROM generate_series(1, 100000000) n', '$work/cancel/a.parquet')")"
check 'neither' '' "$(files cancel)"
query -c "SET application_name = 'to be ended'" -c "SELECT FROM fhir.export('$work/cancel', compression => 'gzip')" >/dev/null 2>&1 &
until [[ $(files cancel) == *.tmp* ]]; do sleep 0.02; done
query -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be ended'" >/dev/null
wait $! || true
check 'a session that is ended leaves nothing' '' "$(files cancel)"

mkdir "$work/closed"
chmod 755 "$work/closed"
if [[ $(query -c "SELECT pg_read_file('/proc/self/status')" | sed -n 's/^Uid:\t\([0-9]*\).*/\1/p') == "$(id -u)" ]]; then
  skip 'the server runs as this user, who can write to any folder of ours'
else
  check 'a folder that the server cannot write to' 'ERROR:  42501' "$(refused "SELECT FROM fhir.export('$work/closed')")"
fi
folder small
if mount -t tmpfs -o size=1m,mode=777 tmpfs "$work/small" 2>/dev/null; then
  full=$work/small
  for more in "compression => 'none'" "compression => 'gzip'" "compression => 'zstd'" "format => 'parquet'"; do
    check "a full disk with $more" 'ERROR:  53100' "$(refused "SELECT FROM fhir.export('$full', $more)")"
    check "leaves nothing with $more" '' "$(files small)"
  done
  check 'a full disk for a query' 'ERROR:  53100' "$(refused "SELECT FROM fhir.export_query('SELECT n, md5(n::text) FROM generate_series(1, 1000000) n', '$full/a.parquet')")"
  check 'leaves nothing for a query' '' "$(files small)"
else
  skip 'no small disk can be mounted here'
fi

# Into another lake, versions and all.
folder again
query -c "SELECT FROM fhir.export('$work/again', history => true, compression => 'zstd')"
query -c "SELECT fhir.create_lake('copy')" -c "SET fhir.lake = 'copy'" -c "SELECT FROM fhir.load('$work/again', keep_versions => true)" >/dev/null
check 'a lake that loads the files has the same resources, to the byte' '2002 t' \
  "$(query -F ' ' -c "SELECT count(*), bool_and(a.resource::text = b.resource::text AND a.version = b.version AND a.last_updated = b.last_updated) FROM lake.resource a FULL JOIN copy.resource b USING (type, id)")"
versions="SELECT string_agg(concat_ws(' ', id, version, resource::text), E'\n' ORDER BY id, version) FROM"
check 'and the same history' "$(query -c "$versions lake.history")" "$(query -c "$versions copy.history")"
query -c "SET fhir.lake = 'copy'" -c "SELECT FROM fhir.export('$work/again', history => true, overwrite => true)"
query -c "SELECT FROM fhir.export('$work/cancel', history => true)"
check 'and exports the same files' "$(cd "$work/cancel" && sort ./*.ndjson | sha256sum)" "$(cd "$work/again" && sort ./*.ndjson | sha256sum)"

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
