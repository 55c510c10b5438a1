#!/bin/sh
# Do the specification's examples keep the invariants of R4 and the rules of its text, and have their systems the codes that they use? What
# is wrong with those that do not is listed in example-exceptions.tsv.
set -eu
cd "$(dirname "$0")/../.."
data=${FHIRLAKE_DATA:-../shared/data}
if [ ! -f "$data/r4/r4-examples.ndjson.gz" ]; then
  echo 'skipped: r4/r4-examples.ndjson.gz is not in the data folder (set FHIRLAKE_DATA)'
  echo '0 passed, 0 failed, 1 skipped'
  exit
fi
FHIRLAKE_DATA=$(cd "$data" && pwd)
export FHIRLAKE_DATA
cargo test --quiet --no-default-features --lib validate::tests::invariants -- --nocapture 2>&1 || { echo '0 passed, 1 failed, 0 skipped'; exit 1; }
exec cargo test --locked --quiet --no-default-features --test validation -- examples
