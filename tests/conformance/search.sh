#!/usr/bin/env bash
# The searches of the oracle against the database; see README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for program in node npm; do
  command -v "$program" >/dev/null && continue
  echo "skipped: the oracle needs $program"
  echo '0 passed, 0 failed, 1 skipped'
  exit
done
exec node tests/conformance/search.mjs --load
