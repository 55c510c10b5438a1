#!/bin/sh
# Search against an independent oracle (README.md): does every query made from the 740 R4 examples find what it must?
set -eu
cd "$(dirname "$0")"
. ./needs.sh
if ! tests=$(node --test oracle/oracle.test.mjs 2>&1); then
  echo "$tests"
  echo 'the oracle fails its own tests'
  echo '0 passed, 1 failed, 0 skipped'
  exit 1
fi
exec node search.mjs --load "$@"
