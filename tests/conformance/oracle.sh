#!/usr/bin/env bash
# The oracle against the examples in the specification's text; see README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
if ! command -v node >/dev/null; then
  echo 'skipped: the oracle needs node'
  echo '0 passed, 0 failed, 1 skipped'
  exit
fi
status=0
output=$(node --test --test-reporter=tap tests/conformance/oracle/ 2>&1) || status=$?
echo "$output"
awk '/^# pass /{p=$3} /^# fail /{f=$3} /^# skipped /{s=$3} END{printf "%d passed, %d failed, %d skipped\n", p, f, s}' <<<"$output"
exit "$status"
