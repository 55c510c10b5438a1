#!/usr/bin/env bash
# Question: do the tools of analysts find the flat views with names, types and comments, and read from them what SQL reads from the
# lake? pandas, JDBC, ODBC, dbt and DuckDB, all as a role that may only read. Superset has a test of its own.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/client/bi/common.sh
source "$here/bi/common.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 711 "$work"

need_views
lake_with_views true

python_is_there=1
installed tools || { python_is_there=0; skip "the packages for pandas, ODBC, dbt and DuckDB cannot be installed: $(tail -n 1 "$work/log")"; }

# A package of Debian, unpacked beside the tests: unpacked DIRECTORY FILE PACKAGE…
unpacked() {
  local directory=$here/../../.lake/$1 file=$2
  shift 2
  [[ -e $directory/$file ]] && return
  command -v apt-get >/dev/null || { echo 'no apt-get' >"$work/log"; return 1; }
  mkdir -p "$directory"
  (cd "$directory" && apt-get download -qq "$@" && for package in ./*.deb; do dpkg-deb -x "$package" .; done) >"$work/log" 2>&1
}

if ! command -v javac >/dev/null; then
  skip 'there is no JDK for pgJDBC'
elif unpacked drivers/jdbc usr/share/java/postgresql.jar libpostgresql-jdbc-java; then
  jars="$here/../../.lake/drivers/jdbc/usr/share/java/*"
  javac -cp "$jars" -d "$work" "$here/drivers/Prepared.java" "$here/bi/Metadata.java"
  run pgJDBC java -cp "$jars:$work" Metadata || true
else
  skip "pgJDBC cannot be installed: $(tail -n 1 "$work/log")"
fi

if ((python_is_there)); then
  run pandas "$python" "$here/bi/frames.py" || true

  libraries=usr/lib/$(uname -m)-linux-gnu
  if unpacked bi/odbc "$libraries/odbc/psqlodbcw.so" odbc-postgresql libodbcinst2 libodbc2 libltdl7; then
    odbc=$packages/odbc/$libraries
    run ODBC env LD_LIBRARY_PATH="$odbc" "$python" "$here/bi/odbc.py" "$odbc/odbc/psqlodbcw.so" || true
  else
    skip "Debian's ODBC driver cannot be installed: $(tail -n 1 "$work/log")"
  fi

  # dbt writes: into a schema of its own, as a role that reads the views like the reader.
  export DBT_ROLE=bi_modeller DBT_PROFILES_DIR=$here/bi/dbt DBT_LOG_PATH=$work/dbt DBT_TARGET_PATH=$work/dbt DO_NOT_TRACK=1
  query -c "DROP ROLE IF EXISTS $DBT_ROLE" -c "CREATE ROLE $DBT_ROLE LOGIN IN ROLE $BI_ROLE" -c "CREATE SCHEMA analytics AUTHORIZATION $DBT_ROLE" >/dev/null 2>&1
  dbt() { "$packages/bin/dbt" --quiet --no-use-colors "$@" --project-dir "$here/bi/dbt"; }
  build_and_document() { dbt build && cp "$work/dbt/run_results.json" "$work/dbt/build.json" && dbt docs generate --no-compile && echo 'ok dbt'; }
  export -f dbt build_and_document
  export packages here work
  if run dbt bash -c build_and_document; then
    run 'dbt catalog' "$python" "$here/bi/catalog.py" "$work/dbt" || true
  fi

  mkdir "$work/export" && chmod 777 "$work/export"
  query -c "SELECT FROM fhir.export_query('SELECT * FROM bi.observation', '$work/export/observation.parquet')"
  chmod a+r "$work/export/observation.parquet" 2>/dev/null || true
  run DuckDB "$python" "$here/bi/duck.py" "$work/export/observation.parquet" || true
  query -c 'DROP SCHEMA analytics CASCADE' -c "DROP OWNED BY $DBT_ROLE" -c "DROP ROLE $DBT_ROLE" >/dev/null 2>&1
fi

# Under row-level security the views show the reader what the policy shows, and nobody says a word more.
query <<'SQL'
DO $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT relid FROM pg_partition_tree('lake.resource') LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', relation);
        EXECUTE format('CREATE POLICY home ON %s USING (compartment = current_setting(''app.compartment'', true))', relation);
    END LOOP;
END $$;
SQL
count="SELECT (SELECT count(*) FROM bi.patient) || ' ' || (SELECT count(*) FROM bi.observation) || ' ' || (SELECT count(DISTINCT patient_id) FROM bi.encounter)"
for patient in $(query -c 'SELECT id FROM lake.patient ORDER BY id LIMIT 3'); do
  check "the views show $patient alone" "1 $(query -c "SELECT count(*) FROM lake.observation WHERE compartment = 'Patient/$patient'") 1" \
    "$(PGUSER=$BI_ROLE PGOPTIONS="-c app.compartment=Patient/$patient" query -c "$count")"
done
check 'and without a patient nothing' '0 0 0' "$(PGUSER=$BI_ROLE query -c "$count")"

lake_gone
done_all
