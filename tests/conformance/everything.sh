#!/bin/sh
# fhir.everything and fhir.timeline on sample patients, against a walk over the files by the published CompartmentDefinition.
set -eu
cd "$(dirname "$0")"
command -v python3 >/dev/null || { echo 'skipped: the walk over the files needs python3'; echo '0 passed, 0 failed, 1 skipped'; exit; }
exec python3 everything.py "$@"
