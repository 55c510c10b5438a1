#!/bin/sh
# Do the examples of US Core 3.1.1, 6.1.0, 7.0.0 and 8.0.0 conform to the profiles that they claim, and do differentials without
# snapshots mean the same as the published snapshots? What does not conform is listed in profile-exceptions.tsv, with the reason.
set -eu
cd "$(dirname "$0")/../.."
data=${FHIRLAKE_DATA:-../shared/data}
for file in r4/hl7.fhir.r4.core.tgz uscore/us_core_311.tgz uscore/us_core_610.tgz uscore/us_core_700.tgz uscore/us_core_800.tgz; do
  if [ ! -f "$data/$file" ]; then
    echo "skipped: $file is not in the data folder (set FHIRLAKE_DATA)"
    echo '0 passed, 0 failed, 1 skipped'
    exit
  fi
done
out=$(mktemp)
trap 'rm -f "$out"' EXIT
FHIRLAKE_DATA=$(cd "$data" && pwd) cargo test --no-default-features --lib validate::profile::tests -- --nocapture >"$out" 2>&1 || true
grep -E '^(uscore|r4)/|^    ' "$out" || true
result=$(grep -E '^test result' "$out" || echo 'test result: FAILED. 0 passed; 1 failed;')
passed=$(echo "$result" | sed -E 's/.* ([0-9]+) passed.*/\1/')
failed=$(echo "$result" | sed -E 's/.* ([0-9]+) failed.*/\1/')
[ "$failed" = 0 ] || grep -vE '^(uscore|r4)/|^    ' "$out" | tail -60
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
