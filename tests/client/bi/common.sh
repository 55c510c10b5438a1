# shellcheck shell=bash disable=SC2154
# What the tests with tools of business intelligence share: counting, Python's packages, and a lake with flat views and a reader.
# Source it with `here` set to tests/client.

packages=$here/../../.lake/bi
python=$packages/bin/python
passed=0 failed=0 skipped=0
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
check() {
  if [[ $2 == "$3" ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED: %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"; fi
}
query() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" "$@"; }
done_all() { echo "$passed passed, $failed failed, $skipped skipped"; ((failed == 0)); }

# Views with the rights of who asks came with PostgreSQL 15.
need_views() {
  (($(query -c 'SHOW server_version_num') < 150000)) || return 0
  skip 'the flat views need PostgreSQL 15'
  done_all
  exit
}

# A program prints a line for each check, "ok …", "FAILED: …" or "skipped: …", and what it has to tell.
run() {
  local name=$1 status=0
  shift
  timeout 600 "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  passed=$((passed + $(grep -c '^ok' "$work/out" || true)))
  failed=$((failed + $(grep -c '^FAILED' "$work/out" || true)))
  grep -v '^ok' "$work/out" | sed -E "s/^(FAILED|skipped): /\1: $name: /" || true
  if ((status)) || ! grep -qE '^(ok|FAILED)' "$work/out"; then
    failed=$((failed + 1))
    echo "FAILED: $name ended with status $status"
    tail -n 20 "$work/err"
    return 1
  fi
}

# Installs the list of packages bi/NAME.txt, unless it is. A list is whole, so nothing has to be resolved; and nothing is compiled
# that is never imported.
installed() {
  local list=$here/bi/$1.txt
  cmp -s "$list" "$packages/$1.txt" && return
  { [[ -x $python ]] || python3 -m venv "$packages"; } &&
    "$python" -m pip install -q --disable-pip-version-check --no-deps --no-compile -r "$list" &&
    cp "$list" "$packages/$1.txt"
} >"$work/log" 2>&1

# The sample patients, or what is in the folder BI_SAMPLE, in a lake, with flat views that a reader may read, and no more:
# lake_with_views EMPTY, whether also of types that the lake has nothing of.
lake_with_views() {
  export BI_ROLE=${PGDATABASE}_reader
  query -v "sample=${BI_SAMPLE:-$FHIRLAKE_SAMPLE}" -v "role=$BI_ROLE" -v "empty=$1" <<'SQL' >/dev/null
SELECT fhir.create_lake();
SELECT count(*) FROM fhir.load(:'sample' || '/*.ndjson');
ANALYZE;
SET client_min_messages = warning;
SELECT count(*) FROM fhir.create_views('bi', empty => :empty);
DROP ROLE IF EXISTS :role;
CREATE ROLE :role LOGIN;
SELECT fhir.grant_lake('lake', :'role', 'read');
GRANT USAGE ON SCHEMA bi TO :role;
GRANT SELECT ON ALL TABLES IN SCHEMA bi TO :role;
SELECT format('ALTER ROLE %I SET default_transaction_read_only = on', :'role') \gexec
SQL
}

lake_gone() {
  query -c 'DROP SCHEMA bi CASCADE' -c "SELECT fhir.drop_lake('lake')" -c "DROP OWNED BY $BI_ROLE" -c "DROP ROLE $BI_ROLE" 2>&1 >/dev/null | grep -v '^NOTICE\|^DETAIL\|^drop cascades\|^and ' || true
}
