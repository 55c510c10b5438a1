#!/bin/sh
# The official suite of SQL on FHIR v2: each ViewDefinition run as JSON and as a view with typed columns.
set -eu
cd "$(dirname "$0")"
skip() { echo "skipped: $1"; echo '0 passed, 0 failed, 1 skipped'; exit; }
command -v python3 >/dev/null || skip 'the suite of SQL on FHIR needs python3'
[ -n "${PSQL:-}" ] || skip 'the suite of SQL on FHIR needs a database named by PSQL'
[ -d "${FHIRLAKE_DATA:-none}/sql-on-fhir" ] || skip 'the suite of SQL on FHIR is not in the data folder (set FHIRLAKE_DATA)'
exec python3 views.py "$FHIRLAKE_DATA/sql-on-fhir" views-failures.tsv
