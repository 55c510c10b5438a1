#!/bin/sh
# Search against an independent oracle (README.md): does every query made from the 740 R4 examples find what it must?
set -eu
cd "$(dirname "$0")"
skip() {
  echo "skipped: $1"
  echo '0 passed, 0 failed, 1 skipped'
  exit
}
command -v node >/dev/null && command -v npm >/dev/null || skip 'the search oracle needs node 18 and npm'
node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || skip 'the search oracle needs node 18 or later'
if ! tests=$(node --test oracle/oracle.test.mjs 2>&1); then
  echo "$tests"
  echo 'the oracle fails its own tests'
  echo '0 passed, 1 failed, 0 skipped'
  exit 1
fi
exec node search.mjs --load "$@"
