# shellcheck shell=bash
# What the tests of the store share. Source it: it takes PG_BIN and PGDATABASE from tests/run.

store=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
passed=0 failed=0 skipped=0

# check WHAT EXPECTED FOUND
check() {
  if [[ $2 == "$3" ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n  expected: %s\n  found:    %s\n' "$1" "$2" "$3"
  fi
}
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
sql() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" "$@"; }

# Makes the function tests.problems(lake), which check_lake asks.
install_checks() { sql -f "$store/problems.sql"; }
check_lake() { check "$1: the lake is in order" '' "$(sql -c "SELECT tests.problems('${2:-lake}')" 2>&1 | head -n 20)"; }

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
}
