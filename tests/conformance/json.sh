#!/usr/bin/env bash
# Question: does our builder make of every official and sample document the bytes that the server's own jsonb input makes?
set -euo pipefail

passed=0 failed=0 skipped=0
psql() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" "$@"; }
psql -c "CREATE FUNCTION equal(text) RETURNS boolean LANGUAGE c STRICT AS '\$libdir/fhirlake', 'fhir_test_json_equal'" \
  -c 'CREATE TABLE line (text text)'

# One document a line. COPY's own format would eat backslashes; CSV with quotes that never occur takes lines as they are.
compare() {
  local name=$1 counts
  psql -c 'TRUNCATE line' -c "COPY line FROM STDIN WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')"
  counts=$(psql -F ' ' -c "SELECT count(*) FILTER (WHERE equal(text)), count(*) FILTER (WHERE NOT equal(text)) FROM line WHERE text <> ''")
  echo "$name: ${counts% *} equal, ${counts#* } different"
  if [[ ${counts% *} != 0 && ${counts#* } == 0 ]]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

data=${FHIRLAKE_DATA:-}
if [[ -f $data/r4/r4-examples.ndjson.gz ]]; then
  compare 'examples of the specification' < <(gzip -dc "$data/r4/r4-examples.ndjson.gz")
else
  echo 'skipped: the examples of the specification are not here (FHIRLAKE_DATA)'
  skipped=$((skipped + 1))
fi
if [[ -f $data/data/synthea-100.ndjson.xz ]]; then
  compare 'Synthea, 100 patients' < <(xz -dc "$data/data/synthea-100.ndjson.xz")
else
  echo 'skipped: the 100 patients of Synthea are not here (FHIRLAKE_DATA)'
  skipped=$((skipped + 1))
fi
if [[ -d ${FHIRLAKE_SAMPLE:-} ]]; then
  compare 'sample patients' < <(cat "$FHIRLAKE_SAMPLE"/*.ndjson)
fi

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
