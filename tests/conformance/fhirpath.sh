#!/bin/sh
# Does the engine pass the official FHIRPath suite for R4, but for the failures listed with their reasons, and does every invariant of
# R4 evaluate on every example of the specification?
set -eu
cd "$(dirname "$0")/../.."
data=${FHIRLAKE_DATA:-none}
if [ ! -f "$data/fhirpath/fhirpath-r4.json" ]; then
  echo 'skipped: fhirpath/fhirpath-r4.json is not in the data folder (set FHIRLAKE_DATA)'
  echo '0 passed, 0 failed, 1 skipped'
  exit
fi
cargo build --locked --quiet --no-default-features --example fhirpath-suite
suite=${CARGO_TARGET_DIR:-target}/debug/examples/fhirpath-suite
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
skipped=0
status=0
"$suite" suite "$data/fhirpath" tests/conformance/fhirpath/known-failures.tsv >"$work/suite" || status=1
cat "$work/suite"
set -- $(tail -n 1 "$work/suite" | tr -cd '0-9 ')
passed=${1:-0} unexpected=${4:-1}
if [ -f "$data/r4/r4-examples.ndjson.gz" ]; then
  gzip -dc "$data/r4/r4-examples.ndjson.gz" >"$work/examples"
  if "$suite" invariants "$work/examples"; then passed=$((passed + 1)); else status=1 unexpected=$((unexpected + 1)); fi
else
  echo 'skipped: the examples of the specification are not here (FHIRLAKE_DATA)'
  skipped=1
fi
[ "$status" = 0 ] || [ "$unexpected" != 0 ] || unexpected=1
echo "$passed passed, $unexpected failed, $skipped skipped"
[ "$unexpected" = 0 ]
