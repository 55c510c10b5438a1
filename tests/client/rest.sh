#!/usr/bin/env bash
# Question: is fhir.rest, behind a thin HTTP server (rest/gateway.py), the FHIR server that real clients expect? fhirpy, fhirclient
# and fhir-kit-client use it, and plain HTTP asks for each interaction of the specification, a whole patient's record as Synthea
# sends it, and a crowd of clients at once. Every answer is also checked against what must hold of all (rest/rules.py).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
packages=$here/../../.lake/drivers
passed=0 failed=0 skipped=0
skip() { skipped=$((skipped + 1)); echo "skipped: $1"; }
query() { "$PG_BIN/psql" -XqAt -v ON_ERROR_STOP=1 -d "$PGDATABASE" "$@"; }
work=$(mktemp -d)
gateway=
finish() {
  [[ -z $gateway ]] || kill "$gateway" 2>/dev/null || true
  [[ -z $gateway ]] || wait "$gateway" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# Lines of a program: "ok …", "FAILED: …", "skipped: …", and what belongs to the line before.
tally() {
  passed=$((passed + $(grep -c '^ok' "$2" || true)))
  failed=$((failed + $(grep -c '^FAILED' "$2" || true)))
  skipped=$((skipped + $(grep -c '^skipped' "$2" || true)))
  grep -v '^ok' "$2" | sed -E "s/^(FAILED|skipped): /\1: $1: /" || true
}

run() {
  local name=$1 status=0 from=$SECONDS
  shift
  timeout 600 "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
  tally "$name" "$work/out"
  if ((status)) || ! grep -q '^ok' "$work/out"; then
    failed=$((failed + 1))
    echo "FAILED: $name ended with status $status"
    tail -n 20 "$work/err"
  fi
  echo "$name: $(grep -c '^ok' "$work/out" || true) checks in $((SECONDS - from)) s"
}

mkdir -p "$packages"
python=$packages/python/bin/python
[[ -x $python ]] || python3 -m venv "$packages/python"
# has MODULE PACKAGE: is the module there, or can it be installed?
has() {
  "$python" -c "import $1" 2>/dev/null || "$python" -m pip install -q --disable-pip-version-check "$2" >"$work/log" 2>&1
}

if ! has psycopg 'psycopg[binary]==3.2.*'; then
  skip "psycopg, which the gateway needs, cannot be installed: $(tail -n 1 "$work/log")"
  echo "$passed passed, $failed failed, $skipped skipped"
  exit 0
fi

query -c 'SELECT fhir.create_lake()' >/dev/null
"$python" "$here/rest/gateway.py" "$work/port" >"$work/rules" 2>"$work/gateway.err" </dev/null &
gateway=$!
for _ in {1..300}; do [[ -e $work/port ]] || sleep 0.1; done
if [[ ! -e $work/port ]]; then
  tail -n 20 "$work/gateway.err"
  echo 'FAILED: the gateway does not start'
  echo "$passed passed, 1 failed, $skipped skipped"
  exit 1
fi
base=http://127.0.0.1:$(<"$work/port")/fhir

run 'plain HTTP' "$python" "$here/rest/plain.py" "$base"
if [[ -d ${FHIRLAKE_SAMPLE:-} ]]; then
  run Synthea "$python" "$here/rest/synthea.py" "$base" "$FHIRLAKE_SAMPLE"
else
  skip 'there is no sample patient to send'
fi
if has fhirpy 'fhirpy==2.*'; then
  run fhirpy "$python" "$here/rest/with_fhirpy.py" "$base"
else
  skip "fhirpy cannot be installed: $(tail -n 1 "$work/log")"
fi
if has fhirclient 'fhirclient==4.*'; then
  run fhirclient "$python" "$here/rest/with_fhirclient.py" "$base"
else
  skip "fhirclient cannot be installed: $(tail -n 1 "$work/log")"
fi
if ! command -v node >/dev/null; then
  skip 'there is no node for fhir-kit-client'
elif [[ -d $packages/node_modules/fhir-kit-client ]] || npm install --silent --no-audit --no-fund --prefix "$packages" fhir-kit-client@2 >"$work/log" 2>&1; then
  run fhir-kit-client env NODE_MODULES="$packages/node_modules" node "$here/rest/kit.mjs" "$base"
else
  skip "fhir-kit-client cannot be installed: $(tail -n 1 "$work/log")"
fi
run crowd "$python" "$here/rest/crowd.py" "$base"

# The server ends, and what its rules have found is told.
kill "$gateway"
status=0
wait "$gateway" || status=$?
gateway=
tally 'every answer' "$work/rules"
if ((status)) || [[ -s $work/gateway.err ]]; then
  failed=$((failed + 1))
  echo "FAILED: the gateway ended with status $status"
  tail -n 20 "$work/gateway.err"
fi

query -c 'SELECT fhir.drop_lake($$lake$$)' >/dev/null
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
