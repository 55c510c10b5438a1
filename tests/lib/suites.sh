# shellcheck shell=bash disable=SC2154,SC2034
# The suites of tests/run. Each suite_* function prints its failures and adds to suite_passed, suite_failed, suite_skipped.

limit=${TEST_TIMEOUT:-1800}

run_suite() {
  local suite=${1%%/*} only='' start=$SECONDS
  [[ $1 == */* ]] && only=${1#*/}
  suite_passed=0 suite_failed=0 suite_skipped=0
  echo "== $1"
  "suite_$suite" "$only"
  echo "   $1: $suite_passed passed, $suite_failed failed, $suite_skipped skipped ($((SECONDS - start)) s)"
  passed=$((passed + suite_passed)) failed=$((failed + suite_failed)) skipped=$((skipped + suite_skipped))
}

# The tests of a suite by name, one a line.
list_tests() {
  case $1 in
    unit) echo '(see cargo test)' ;;
    backend) backend_tests ;;
    regress) names tests/pg_regress/sql/*.sql ;;
    isolation) names tests/isolation/specs/*.spec ;;
    client | conformance) for test in tests/"$1"/*.sh tests/"$1"/*.py; do [[ -x $test ]] && basename "$test"; done ;;
  esac || true
}

names() { for file in "$@"; do [[ ! -e $file ]] || basename "${file%.*}"; done; }

selected() { list_tests "$1" | { if [[ $2 ]]; then grep -x -- "$2" || true; else cat; fi; }; }

# A test that may not hang, may not read the terminal and does not keep our lock.
bounded() { timeout --kill-after=10 "$limit" "$@" </dev/null 9>&-; }

psql_in() { "$pg_bin/psql" -XqAt -v ON_ERROR_STOP=1 -d "$@"; }

new_database() {
  psql_in postgres -c "DROP DATABASE IF EXISTS \"$1\"" -c "CREATE DATABASE \"$1\"" &&
    psql_in "$1" -c 'CREATE EXTENSION fhirlake'
} 2>&1

indented() { sed 's/^/   /'; }

ok() { suite_passed=$((suite_passed + 1)); }
not_ok() { suite_failed=$((suite_failed + 1)); echo "   FAILED: $1"; }

# --- unit -------------------------------------------------------------------------------------------------------------

suite_unit() {
  local log=$lake/unit.log status=0 reasons
  # Built apart, so that the time limit and the log are those of the tests alone.
  cargo test --locked --no-default-features --no-run </dev/null 9>&- || { not_ok 'cargo test does not build'; return; }
  bounded cargo test --locked --no-default-features --no-fail-fast -- --show-output ${1:+"$1"} >"$log" 2>&1 || status=$?
  read -r suite_passed suite_failed suite_skipped < <(awk '
    /^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END { print passed + 0, failed + 0, ignored + 0 }' "$log")
  sed -n 's/^test \(.*\) \.\.\. ignored/   skipped: \1 is ignored/p' "$log"
  reasons=$(grep '^skipped: ' "$log" || true)
  if [[ $reasons ]]; then
    # A test that had to skip has passed as far as cargo knows.
    indented <<<"$reasons"
    local count
    count=$(wc -l <<<"$reasons")
    suite_skipped=$((suite_skipped + count)) suite_passed=$((suite_passed - count))
  fi
  if ((status)); then
    sed -n '/^failures:$/,/^test result/p' "$log" | indented
    ((suite_failed)) || { tail -n 20 "$log" | indented; not_ok "cargo test ended with status $status"; }
  fi
}

# --- backend ----------------------------------------------------------------------------------------------------------

backend_tests() {
  local library
  [[ ${pg_copy:-} ]] || return
  library=$("$pg_copy" --pkglibdir)/fhirlake.so
  [[ -f $library ]] && nm -D --defined-only "$library" | awk '$3 ~ /^pg_test_[a-z0-9_]+$/ { print substr($3, 9) }' | sort
}

suite_backend() {
  local output test
  output=$(new_database backend) || { echo "$output"; not_ok 'CREATE EXTENSION'; return; }
  psql_in backend -c 'CREATE SCHEMA tests'
  for test in $(selected backend "$1"); do
    if output=$(bounded "$pg_bin/psql" -XqAt -v ON_ERROR_STOP=1 -d backend -c BEGIN \
      -c "CREATE FUNCTION tests.$test() RETURNS void LANGUAGE c AS '\$libdir/fhirlake', 'pg_test_$test'" \
      -c "SELECT tests.$test()" -c ROLLBACK 2>&1); then
      ok
    else
      indented <<<"${output:-no answer in $limit s}"
      not_ok "backend/$test"
      cluster_settle test
    fi
  done
}

# --- regress and isolation --------------------------------------------------------------------------------------------

suite_regress() { suite_expected regress tests/pg_regress sql regress/pg_regress "$1"; }
suite_isolation() { suite_expected isolation tests/isolation specs isolation/pg_isolation_regress "$1"; }

# Each test alone, so that one that ends the server or hangs does not take the others with it.
suite_expected() {
  local suite=$1 input=$2 program test output result
  program=$(dirname "$("$pg_copy" --pgxs)")/../test/$4
  for test in $(selected "$suite" "$5"); do
    # A missing file of expected output fails like a wrong one, but pg_regress would stop at it.
    mkdir -p "$input/expected"
    local expected=$input/expected/$test.out
    [[ -f $expected ]] || touch "$expected"
    output=$lake/$suite/$test
    rm -rf "$output"
    mkdir -p "$output"
    result=0
    bounded "$program" --inputdir="$input" --outputdir="$output" --bindir="$pg_bin" --host="$PGHOST" --port="$PGPORT" \
      --user="$PGUSER" --dbname="$suite" --load-extension=fhirlake --max-connections=1 "$test" >"$output/log" 2>&1 || result=$?
    if [[ ${ACCEPT:-} && -f $output/results/$test.out ]]; then
      cp "$output/results/$test.out" "$expected"
      result=0
    fi
    [[ -s $expected ]] || rm "$expected"
    if ((result == 0)); then
      ok
      continue
    fi
    if [[ -s $output/regression.diffs ]]; then
      head -n 200 "$output/regression.diffs" | indented
    else
      tail -n 20 "$output/log" | indented
    fi
    not_ok "$suite/$test (see $output)"
    cluster_settle test
  done
}

# --- client and conformance -------------------------------------------------------------------------------------------

suite_client() { suite_scripts client "$1"; }
suite_conformance() { suite_scripts conformance "$1"; }

suite_scripts() {
  local suite=$1 test database output log status p f s
  sample_wait || { not_ok 'the sample data could not be made'; return; }
  for test in $(selected "$suite" "$2"); do
    log=$lake/$suite/$test.log
    mkdir -p "$lake/$suite"
    database=${test%.*}
    output=$(new_database "$database") || { echo "$output"; not_ok "$suite/$test: CREATE EXTENSION"; continue; }
    status=0
    PGDATABASE=$database PSQL="$pg_bin/psql -X -d $database" PG_BIN=$pg_bin PG_CONFIG=$pg_copy FHIRLAKE_SAMPLE=$sample \
      bounded "tests/$suite/$test" >"$log" 2>&1 || status=$?
    if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
      p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[3]}
    else
      p=0 f=1 s=0
    fi
    ((status == 0 || f)) || f=1
    if ((f)); then tail -n 60 "$log" | indented; else grep -E '^skip(ped)?: ' "$log" | indented || true; fi
    echo "   $suite/$test: $p passed, $f failed, $s skipped"
    ((f == 0)) || echo "   FAILED: $suite/$test (status $status, see $log)"
    ((f == 0)) || cluster_settle test
    suite_passed=$((suite_passed + p)) suite_failed=$((suite_failed + f)) suite_skipped=$((suite_skipped + s))
  done
}

# Sets FHIRLAKE_DATA to the folder of official data that lies beside some checkouts, where there is one.
find_official_data() {
  local folder=${FHIRLAKE_DATA:-$root/../shared/data}
  unset FHIRLAKE_DATA
  if [[ -d $folder ]]; then
    FHIRLAKE_DATA=$(cd "$folder" && pwd)
    export FHIRLAKE_DATA
  fi
}

# --- the server -------------------------------------------------------------------------------------------------------

# A process that dies takes every connection with it; a test that looks away would pass all the same.
check_server() {
  [[ ${PGHOST:-} ]] || return 0
  local crashes
  as_server cat "$place/test/log" >"$lake/server.log"
  crashes=$(grep -E 'was terminated by signal|PANIC:' "$lake/server.log" || true)
  if [[ $crashes ]]; then
    indented <<<"$crashes"
    echo "   FAILED: a server process died (see $lake/server.log)"
    failed=$((failed + 1))
  else
    passed=$((passed + 1))
  fi
}
