#!/bin/sh
# Do the facts in fhir-schemas/ still follow from HL7's package, byte for byte?
set -eu
cd "$(dirname "$0")/../.."
package=${FHIRLAKE_DATA:-none}/r4/hl7.fhir.r4.core.tgz
if [ ! -f "$package" ]; then
  echo 'skipped: r4/hl7.fhir.r4.core.tgz is not in the data folder (set FHIRLAKE_DATA)'
  echo '0 passed, 0 failed, 1 skipped'
elif python3 fhir-schemas/generate.py --check "$package"; then
  echo '1 passed, 0 failed, 0 skipped'
else
  echo '0 passed, 1 failed, 0 skipped'
  exit 1
fi
