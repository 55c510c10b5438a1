#!/usr/bin/env bash
# Question: does Apache Superset show a dashboard on the flat views? A fresh Superset gets the database, four datasets, four numbers
# and four charts through its REST API, all read by a role that may only read; headless Chromium opens the dashboard, and what it
# shows must be what SQL says.
#
# BI_SAMPLE is a folder of other NDJSON files to load, BI_PICTURE a file for the picture of the page: so docs/dashboard.png is made.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/client/bi/common.sh
source "$here/bi/common.sh"
work=$(mktemp -d)
server=
finish() {
  [[ -z $server ]] || kill "$server" 2>/dev/null || true
  [[ -z $server ]] || wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

# A browser has too many libraries to be unpacked beside the tests, so it is installed.
browser() {
  command -v chromium >/dev/null && command -v chromedriver >/dev/null && return
  local as=()
  [[ $(id -u) == 0 ]] || as=(sudo -n)
  command -v apt-get >/dev/null || { echo 'no apt-get' >"$work/log"; return 1; }
  { "${as[@]}" apt-get update -qq &&
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver; } >"$work/log" 2>&1
}

need_views
if ! installed tools || ! installed superset; then
  skip "Superset cannot be installed: $(tail -n 1 "$work/log")"
elif ! browser; then
  skip "Chromium and its driver cannot be installed: $(tail -n 1 "$work/log")"
fi
((skipped == 0)) || { done_all; exit; }

mkdir "$work/home"
export SUPERSET_HOME=$work/home PYTHONPATH=$here/bi/superset SUPERSET_SECRET_KEY SCARF_ANALYTICS=false
SUPERSET_SECRET_KEY=$(head -c 30 /dev/urandom | base64)
"$python" "$here/bi/superset/serve.py" "$work/port" >"$work/server.log" 2>&1 </dev/null &
server=$!
lake_with_views false
for _ in {1..600}; do [[ -e $work/port ]] || ! kill -0 "$server" 2>/dev/null || sleep 0.5; done
if [[ ! -e $work/port ]]; then
  tail -n 20 "$work/server.log"
  echo 'FAILED: Superset does not start'
  failed=1
  done_all
fi
url=http://127.0.0.1:$(<"$work/port")

if run 'REST API' "$python" "$here/bi/superset/build.py" "$url" "$work/path"; then
  # What each must show; the charts without numbers are drawn on canvases.
  query -F $'\t' >"$work/charts" <<'SQL'
SELECT 'Patients', to_char(count(*), 'FM999,999') || ' bi.patient' FROM lake.patient;
SELECT 'Encounters', to_char(count(*), 'FM999,999') || ' bi.encounter' FROM lake.encounter;
SELECT 'Conditions', to_char(count(*), 'FM999,999') || ' bi.condition' FROM lake.condition;
SELECT 'Observations', to_char(count(*), 'FM999,999') || ' bi.observation' FROM lake.observation;
SELECT 'Patients by age and sex', '';
SELECT 'Encounters per month', '';
SELECT 'Cholesterol: yearly mean, mg/dL', '';
SELECT 'Most frequent conditions', concat_ws(' ', name, patients, active) FROM (
  SELECT resource #>> '{code,coding,0,display}' AS name, count(DISTINCT resource #>> '{subject,reference}') AS patients,
    count(DISTINCT resource #>> '{subject,reference}') FILTER (WHERE resource #>> '{clinicalStatus,coding,0,code}' = 'active') AS active
  FROM lake.condition WHERE resource #>> '{code,coding,0,display}' !~ '\((situation|finding)\)' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1) c;
SQL
  export CHROMIUM CHROMEDRIVER
  CHROMIUM=$(command -v chromium) CHROMEDRIVER=$(command -v chromedriver)
  run Chromium "$python" "$here/bi/superset/look.py" "$url$(<"$work/path")" "${BI_PICTURE:-$work/dashboard.png}" "$work/charts"
fi

kill "$server"
wait "$server" 2>/dev/null || true
server=
lake_gone
done_all
