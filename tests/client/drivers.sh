#!/usr/bin/env bash
# Question: do prepared statements with the search as a parameter find the same from psycopg, node-postgres and pgJDBC, also
# after the server has stopped to plan for the values (from the sixth execution on it may), and what does planning take?
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=$here/../../.lake/drivers
passed=0 failed=0 skipped=0
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
query() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" "$@"; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 4,000 observations, with codes that one, forty and two thousand of them have.
query <<'SQL'
SELECT fhir.create_lake();
INSERT INTO lake.observation (resource) SELECT format($$
  {"resourceType":"Observation","id":"o%s","status":"final","subject":{"reference":"Patient/p%s"},"effectiveDateTime":"%s",
   "code":{"coding":[{"system":"http://loinc.org","code":"%s"}]}}$$,
  i, i % 100, date '2015-01-01' + i % 1000, CASE WHEN i = 17 THEN 'one' WHEN i % 100 = 3 THEN 'forty' WHEN i % 2 = 0 THEN 'half' ELSE 'rest' END)::jsonb
FROM generate_series(1, 4000) i;
VACUUM ANALYZE lake.observation;
SQL

# Sixteen searches, each with the ids that it must find, comma-separated: worked out from how the rows were made.
query -F $'\t' >"$work/cases" <<'SQL'
WITH rows AS (SELECT i, CASE WHEN i = 17 THEN 'one' WHEN i % 100 = 3 THEN 'forty' WHEN i % 2 = 0 THEN 'half' ELSE 'rest' END AS code,
    i % 100 AS patient, date '2015-01-01' + i % 1000 AS day FROM generate_series(1, 4000) i),
cases (n, search, code, patient, low) AS (VALUES
  (1, 'code=one', 'one', NULL::integer, NULL::date), (2, 'code=forty', 'forty', NULL, NULL), (3, 'code=half', 'half', NULL, NULL),
  (4, 'code=none', 'none', NULL, NULL), (5, 'subject=Patient/p7', NULL, 7, NULL), (6, 'code=half&date=ge2017-09', 'half', NULL, '2017-09-01'),
  (7, 'code=one', 'one', NULL, NULL), (8, 'code=rest&subject=Patient/p9', 'rest', 9, NULL), (9, 'code=forty', 'forty', NULL, NULL),
  (10, 'code=half', 'half', NULL, NULL), (11, 'code=none', 'none', NULL, NULL), (12, 'subject=Patient/p8&date=ge2016-06', NULL, 8, '2016-06-01'),
  (13, 'code=one', 'one', NULL, NULL), (14, 'date=ge2017-09-20', NULL, NULL, '2017-09-20'), (15, 'code=forty', 'forty', NULL, NULL), (16, 'code=one', 'one', NULL, NULL))
SELECT search, coalesce(string_agg('o' || i, ',' ORDER BY ('o' || i) COLLATE "C"), '')
FROM cases c LEFT JOIN rows r ON (c.code IS NULL OR c.code = r.code) AND (c.patient IS NULL OR c.patient = r.patient) AND (c.low IS NULL OR r.day >= c.low)
GROUP BY n, search ORDER BY n
SQL

# A driver's program prints a line for each check, "ok" or "FAILED: …", and what it has to tell.
run() {
  local name=$1 status=0
  shift
  timeout 300 "$@" "$work/cases" >"$work/out" 2>"$work/err" </dev/null || status=$?
  passed=$((passed + $(grep -c '^ok' "$work/out" || true)))
  grep -v '^ok' "$work/out" | sed "s/^/$name: /" || true
  if ((status)) || ! grep -q '^ok' "$work/out" || grep -q '^FAILED' "$work/out"; then
    failed=$((failed + 1))
    echo "FAILED: $name ended with status $status"
    tail -n 20 "$work/err"
  fi
}

mkdir -p "$packages"

if "$packages/python/bin/python" -c 'import psycopg' 2>/dev/null ||
  { python3 -m venv "$packages/python" && "$packages/python/bin/pip" install -q --disable-pip-version-check 'psycopg[binary]==3.2.*'; } >"$work/log" 2>&1; then
  run psycopg "$packages/python/bin/python" "$here/drivers/prepared.py"
else
  skip "psycopg cannot be installed: $(tail -n 1 "$work/log")"
fi

if ! command -v node >/dev/null; then
  skip 'there is no node for node-postgres'
elif [[ -d $packages/node_modules/pg ]] || npm install --silent --no-audit --no-fund --prefix "$packages" pg@8 >"$work/log" 2>&1; then
  run node-postgres env NODE_PATH="$packages/node_modules" node "$here/drivers/prepared.cjs"
else
  skip "node-postgres cannot be installed: $(tail -n 1 "$work/log")"
fi

jar() { compgen -G "$packages/jdbc/usr/share/java/postgresql.jar"; }
fetch_jdbc() {
  command -v apt-get >/dev/null || { echo 'no apt-get'; return 1; }
  mkdir -p "$packages/jdbc"
  (cd "$packages/jdbc" && apt-get download -qq libpostgresql-jdbc-java && for package in ./*.deb; do dpkg-deb -x "$package" .; done)
}
if ! command -v javac >/dev/null; then
  skip 'there is no JDK for pgJDBC'
elif jar >/dev/null || fetch_jdbc >"$work/log" 2>&1; then
  javac -cp "$packages/jdbc/usr/share/java/*" -d "$work" "$here/drivers/Prepared.java"
  run pgJDBC java -cp "$packages/jdbc/usr/share/java/*:$work" Prepared
else
  skip "pgJDBC cannot be installed: $(tail -n 1 "$work/log")"
fi

query -c 'SELECT fhir.drop_lake($$lake$$)' >/dev/null
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
