#!/usr/bin/env bash
# Question: does fhir.load take every kind of file as docs/load.md says, refuse what is broken without a trace, answer while it works,
# and keep its memory?
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/store/check.sh"
source "$here/store/cluster.sh"

work=$(mktemp -d)
chmod 755 "$work"
trap 'kill $(jobs -p) 2>/dev/null || true; wait; cluster_remove load; umount "$work/small" 2>/dev/null || true; chmod -R u+rwx "$work"; rm -rf "$work"' EXIT

# patients FROM TO [MARK]: as many lines.
patients() {
  awk -v from="$1" -v to="$2" -v mark="${3-}" 'BEGIN { for (i = from; i <= to; i++)
    printf "{\"resourceType\":\"Patient\",\"id\":\"p%d\",\"birthDate\":\"19%02d-01-02\",\"name\":[{\"family\":\"Müller \\\"%s\\\" \\\\ %d\",\"given\":[\"A\"]}],\"identifier\":[{\"system\":\"http://x.org\",\"value\":\"%d\"}]}\n", i, i % 90 + 10, mark, i, i }'
}
# file NAME: its content from standard input, readable for the server.
file() { cat >"$work/$1" && chmod 644 "$work/$1"; }
# load NAME [OPTION…]: what became of it.
load() {
  local path=$work/$1
  shift
  sql -c "SELECT concat_ws('|', sum(loaded), sum(unchanged), sum(rejected)) FROM fhir.load($(printf "'%s'" "$path")$(printf ', %s' "$@" | sed 's/^, $//'))" 2>&1 | sed "s|$work/||g"
}
reasons() { sql -c "SELECT line, byte_offset, reason FROM lake.load_error WHERE load = (SELECT max(id) FROM lake.load) ORDER BY line" | sed "s|$work/||g"; }
counts() { sql -c 'SELECT (SELECT count(*) FROM lake.resource), (SELECT count(*) FROM lake.history), (SELECT count(*) FROM lake.load), (SELECT count(*) FROM lake.load_error)'; }

cluster_start load
"$PG_BIN/createdb" "$PGDATABASE"
install_checks
sql -c 'CREATE EXTENSION fhirlake' -c 'SELECT fhir.create_lake()' >/dev/null

# Packages of definitions ------------------------------------------------------------------------------------------------
# package NAME VERSION [FILE…]: an archive with a value set of that version, a profile and an example.
package() {
  local folder=$work/packing/package
  mkdir -p "$folder/example"
  echo "{\"name\":\"x.org.test\",\"version\":\"$2\"}" >"$folder/package.json"
  echo '{"not":"a resource"}' >"$folder/other.json"
  echo "{\"resourceType\":\"ValueSet\",\"id\":\"v\",\"url\":\"http://x.org/v\",\"version\":\"$2\",\"status\":\"active\"}" >"$folder/ValueSet-v.json"
  echo '{"resourceType":"Patient","id":"pat","active":true}' >"$folder/example/Patient-pat.json"
  echo '{"resourceType":"Nobody","id":"x"}' >"$folder/Nobody-x.json"
  tar -C "$work/packing" -czf "$work/$1" package
  chmod 644 "$work/$1"
  rm -r "$work/packing"
}
# load_package NAME [EXAMPLES]: what became of it.
load_package() { sql -c "SELECT package, version, loaded, unchanged, rejected FROM fhir.load_package('$work/$1', ${2-false})" 2>&1 | sed "s|$work/||g"; }
package one.tgz 1.0
package two.tgz 2.0
check 'a package' 'x.org.test|1.0|1|0|1' "$(load_package one.tgz)"
check 'what is no FHIR is told of' 't' "$(sql -c "SELECT reason LIKE 'package/Nobody-x.json: %' FROM lake.load_error")"
check 'the same again' 'x.org.test|1.0|0|1|1' "$(load_package one.tgz)"
check 'with its examples' 'x.org.test|1.0|1|1|1' "$(load_package one.tgz true)"
check 'another version stands beside it' 'x.org.test|2.0|1|0|1' "$(load_package two.tgz)"
check 'under ids of their own' 'v 1.0,v-2.0 2.0' "$(sql -c "SELECT string_agg(id || ' ' || (resource ->> 'version'), ',' ORDER BY id) FROM lake.valueset")"
sql -c "UPDATE lake.patient SET resource = '{\"resourceType\":\"Patient\",\"id\":\"pat\",\"active\":false}'"
check 'an example does not replace what is there' 'x.org.test|1.0|0|1|2' "$(load_package one.tgz true)"
head -c 200 "$work/one.tgz" | file torn.tgz
check 'a torn package' 1 "$(load_package torn.tgz | grep -c 'could not read' || true)"
check 'leaves nothing' 2 "$(sql -c 'SELECT count(*) FROM lake.valueset')"
sql -c 'DELETE FROM lake.patient' -c 'DELETE FROM lake.valueset' -c 'DELETE FROM lake.load' -c "SELECT fhir.erase('Patient', 'pat')" >/dev/null

# Levels of validation ---------------------------------------------------------------------------------------------------
{
  echo '{"resourceType":"Patient","id":"good"}'
  echo '{"resourceType":"Patient","id":"bad","contact":[{"gender":"male"}]}'
} | file levels
check 'structure sees no broken invariant' '2|0' "$(sql -c "SELECT loaded, rejected FROM fhir.load('$work/levels', validation => 'structure', dry_run => true)")"
check 'invariants do' '1|0|1' "$(load levels "'invariants'")"
check 'and say which' 'Patient.contact[0]' "$(sql -c 'SELECT expression FROM lake.load_error')"
sql -c "SELECT fhir.set_validation('enforce', 'invariants', 'Patient')" >/dev/null
check 'what a lake demands holds for a load that asks for nothing' '0|1|1' "$(load levels "'off'")"
sql -c "SELECT fhir.set_validation('off')" -c 'DELETE FROM lake.patient' -c 'DELETE FROM lake.load' -c "SELECT fhir.erase('Patient', 'good')" >/dev/null

# Lines that are hardly any, and lines that are none ---------------------------------------------------------------------
file empty </dev/null
check 'an empty file' '0|0|0' "$(load empty)"
printf '\n \r\n\t\n' | file blank
check 'blank lines' '0|0|0' "$(load blank)"
{ printf '\xEF\xBB\xBF'; patients 1 2 | sed 's/$/\r/'; } | head -c -2 | file bom
check 'a byte order mark, CRLF, no end of the last line' '2|0|0' "$(load bom)"
printf '\xEF\xBB\xBF' | file bom_only
check 'a byte order mark alone' '0|0|0' "$(load bom_only)"
{
  echo '{"resourceType":"Patient","id":"a b"}'
  echo '{"resourceType":"Patient","id":7}'
  echo '{"resourceType":"Patient","id":"'"$(printf 'x%.0s' {1..65})"'"}'
  echo '{"resourceType":"Pateint","id":"x"}'
  echo '{"resourceType":["Patient"]}'
  echo '{"id":"x"}'
  printf '{"resourceType":"Patient","id":"x","name":[{"family":"\xFF\xFE"}]}\n'
  printf '{"resourceType":"Patient","id":"x","name":[{"family":"a\\u0000b"}]}\n'
  printf '{"resourceType":"Patient","id":"x\0y"}\n'
  printf '\0\0\0\n'
  echo '{"resourceType":"Patient","id":"x"'
  echo '{"resourceType":"Patient","id":"x"}}'
  echo '{"resourceType":"Patient","id":"x"} {"resourceType":"Patient","id":"y"}'
  echo '"Patient"'
  awk 'BEGIN { printf "{\"resourceType\":\"Patient\",\"extension\":"; for (i = 0; i < 5000; i++) printf "["; print "" }'
  echo '{"resourceType":"Patient","id":"good"}'
  echo '{"resourceType":"Patient","id":"good","active":true}'
} | file bad
check 'bad lines are rejected one by one' '2|0|15' "$(load bad)"
check 'each for its own reason' '1|0|"a b" is not a FHIR id
2|38|id of a resource is not a string
3|72|"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" is not a FHIR id
4|172|"Pateint" is not a FHIR R4 resource type
5|208|not a FHIR resource: no resourceType
6|237|not a FHIR resource: no resourceType
7|248|invalid byte sequence for encoding UTF8 at byte 54 of the line
8|309|\u0000 cannot be converted to text at byte 55 of the line' "$(reasons | head -n 8)"
check 'two with one id are two versions' '2|1' "$(sql -c "SELECT version, (SELECT count(*) FROM lake.history h WHERE h.id = p.id) FROM lake.patient p WHERE id = 'good'")"
check 'what is kept of a line is text' 't' "$(sql -c 'SELECT bool_and(length(text) <= 4000) FROM lake.load_error')"
truncate -s 1G "$work/line" && printf '\n%s\n' '{"resourceType":"Patient","id":"behind"}' >>"$work/line" && chmod 644 "$work/line"
check 'a line of 1 GB, and one behind it' '1|0|1' "$(load line)"
check 'told with its place' '1|0|line is longer than 67108864 bytes' "$(reasons)"

# Packed, and broken off -------------------------------------------------------------------------------------------------
patients 100 20000 | file p.ndjson
gzip -c "$work/p.ndjson" | file p.gz
before=$(counts)
head -c -7 "$work/p.gz" | file cut.gz
check 'a gzip that breaks off ends the load' 'ERROR:  could not read "cut.gz"' "$(load cut.gz | grep -m1 -oE 'ERROR:  could not read "[a-z.]*"')"
{ head -c 3000 "$work/p.gz"; printf 'broken'; tail -c +3007 "$work/p.gz"; } | file broken.gz
check 'so does one that is damaged' 'ERROR:  could not read "broken.gz"' "$(load broken.gz | grep -m1 -oE 'ERROR:  could not read "[a-z.]*"')"
check 'and leaves nothing' "$before" "$(counts)"
check 'a whole one does not' '19901|0|0' "$(load p.gz)"
check 'the same again, plain, changes nothing' '0|19901|0' "$(load p.ndjson)"
if command -v zstd >/dev/null; then
  zstd -qc "$work/p.ndjson" | file p.zst
  check 'zstd' '0|19901|0' "$(load p.zst)"
  head -c -7 "$work/p.zst" | file cut.zst
  check 'a zstd that breaks off' 'ERROR:  could not read "cut.zst"' "$(load cut.zst | grep -m1 -oE 'ERROR:  could not read "[a-z.]*"')"
else
  skip 'there is no program zstd'
fi
for workers in 0 1 8; do
  check "with $workers threads" '0|19901|0' "$(PGOPTIONS="-c fhir.load_workers=$workers" load p.gz)"
done
check_lake 'after loads'

# Folders and what is no file --------------------------------------------------------------------------------------------
mkdir "$work/closed" "$work/folder" && patients 1 2 >"$work/closed/a.ndjson" && chmod 000 "$work/closed"
check 'a folder without permission' 'ERROR:  could not read "closed": Permission denied (os error 13)' "$(load closed | grep -o 'ERROR:.*')"
check 'a file in it' 'ERROR:  could not read "closed/a.ndjson": Permission denied (os error 13)' "$(load closed/a.ndjson | grep -o 'ERROR:.*')"
mkfifo "$work/pipe"
check 'a pipe is no file' 'ERROR:  "pipe" is not a regular file' "$(load pipe | grep -o 'ERROR:.*')"
patients 1 2 >"$work/folder/a.ndjson"
patients 3 4 | gzip >"$work/folder/b.ndjson.gz"
echo '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"in-bundle"}}]}' >"$work/folder/c.json"
echo 'no resource' >"$work/folder/readme.txt"
check 'a folder' '3|2|0' "$(load folder)"
check 'a pattern' '0|4|0' "$(load 'folder/*.n*')"

# A file that grows: what is there when the load opens it is loaded.
patients 30001 45000 | file grows
(for i in {1..400}; do patients $((50000 + i)) $((50000 + i)) >>"$work/grows"; sleep 0.01; done) &
grown=$(load grows)
kill $! 2>/dev/null || true
wait
check 'a file that grows is read as far as it went' '15000|0|0' "$(sed -E 's/^15[0-4][0-9][0-9]\|/15000|/' <<<"$grown")"

# A large Bundle is never in memory as a whole -----------------------------------------------------------------------------
{
  echo '{"resourceType":"Bundle","type":"transaction","entry":['
  patients 60001 100000 bundle | sed 's/.*/{"resource":&}/' | paste -sd, -
  echo ']}'
} | file large.json
peak() { # the most memory of its own that the backend of a load had, in MB
  local pid most=0 now
  while pid=$(sql -c "SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT concat_ws%' AND state = 'active' AND pid <> pg_backend_pid() LIMIT 1"); do
    [[ -e $work/loaded ]] && break
    now=$(awk '/^RssAnon/ { print int($2 / 1024) }' "/proc/${pid:-0}/status" 2>/dev/null || echo 0)
    ((${now:-0} > most)) && most=$now
    sleep 0.05
  done
  echo "$most"
}
peak >"$work/peak" &
check 'a large Bundle' '40000|0|0' "$(load large.json)"
touch "$work/loaded"
wait
check 'in little memory' yes "$( (($(<"$work/peak") < 400)) && echo yes || echo "$(<"$work/peak") MB")"
check_lake 'after a Bundle'

# While it works -----------------------------------------------------------------------------------------------------------
patients 200001 260000 | file long
sql -c "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END'" -c 'CREATE TRIGGER slow BEFORE INSERT ON lake.patient FOR EACH ROW EXECUTE FUNCTION slow()'
before=$(counts)
pid_of_load() {
  local try pid
  for try in {1..200}; do
    pid=$(sql -c "SELECT pid FROM pg_stat_progress_copy WHERE relid = 'lake.resource'::regclass AND tuples_processed > 2000")
    [[ $pid ]] && echo "$pid" && return
    sleep 0.1
  done
}
for how in cancel terminate kill; do
  load long >"$work/$how.log" 2>&1 &
  pid=$(pid_of_load)
  check "$how: there is one to stop" yes "${pid:+yes}"
  case $how in
    cancel)
      check 'its progress is seen' 't|t|t|FILE' "$(sql -c "SELECT bytes_total = $(stat -c %s "$work/long"), bytes_processed BETWEEN 1 AND bytes_total, tuples_excluded = 0, type FROM pg_stat_progress_copy")"
      begin=$(date +%s%N)
      sql -c "SELECT pg_cancel_backend($pid)" >/dev/null
      wait $! || true
      check 'cancel: it answers within a second' yes "$( (($(date +%s%N) - begin < 1000000000)) && echo yes || echo no)"
      check 'cancel: it tells so' 'ERROR:  canceling statement due to user request' "$(grep -o 'ERROR:.*' "$work/$how.log")"
      ;;
    terminate)
      sql -c "SELECT pg_terminate_backend($pid)" >/dev/null
      wait $! || true
      check 'terminate: it does' 'FATAL:  terminating connection due to administrator command' "$(grep -o 'FATAL:.*' "$work/$how.log")"
      ;;
    kill) cluster_owns load "$pid" && kill -9 "$pid"; wait $! || true; cluster_settle load ;;
  esac
  check "$how: nothing of it is there" "$before" "$(counts)"
  check_lake "$how"
done
sql -c 'DROP TRIGGER slow ON lake.patient'
check 'the same load goes through' '60000|0|0' "$(load long)"

# A full disk ----------------------------------------------------------------------------------------------------------------
mkdir "$work/small"
if mount -t tmpfs -o size=16m,mode=777 tmpfs "$work/small" 2>/dev/null; then
  mkdir "$work/small/space" && chown "$(stat -c %U "$place/load/data")" "$work/small/space"
  chmod 700 "$work/small/space"
  sql -c "CREATE TABLESPACE small LOCATION '$work/small/space'"
  sql -c "SET default_tablespace = small" -c "SELECT fhir.create_lake('tight')" >/dev/null 2>&1 || true
  if [[ $(sql -c "SELECT count(*) FROM fhir.lakes() WHERE lake = 'tight'") == 1 ]]; then
    check 'a full disk ends the load' 'No space left on device' "$(PGOPTIONS='-c fhir.lake=tight' load long | grep -o 'No space left on device' | head -n 1)"
    check 'and leaves nothing' '0|0' "$(sql -c 'SELECT (SELECT count(*) FROM tight.resource), (SELECT count(*) FROM tight.load)')"
    # What the failed load has taken of the disk, VACUUM would give back; it has no room to work in.
    sql -c "SELECT fhir.drop_lake('tight', true)" -c 'SET default_tablespace = small' -c "SELECT fhir.create_lake('tight')" >/dev/null 2>&1
    patients 1 100 | file few
    check 'what has room is loaded' '100|0|0' "$(PGOPTIONS='-c fhir.lake=tight' load few)"
    check_lake 'after a full disk' tight
  else
    skip 'an empty lake does not fit on the small disk'
  fi
  sql -c "SELECT fhir.drop_lake('tight', true)" >/dev/null 2>&1 || true
  sql -c 'DROP TABLESPACE small' 2>/dev/null || true
else
  skip 'a small disk takes the right to mount one'
fi

# Out and in again -----------------------------------------------------------------------------------------------------------
mkdir -m 777 "$work/out"
sql -c "UPDATE lake.patient SET resource = resource || '{\"active\": true}' WHERE id < 'p15'" -c "DELETE FROM lake.patient WHERE id LIKE 'p19%'" \
  -c "UPDATE lake.patient SET resource = resource || '{\"active\": false}' WHERE id < 'p12'" \
  -c "SELECT FROM fhir.export('$work/out', history => true, compression => 'gzip')" -c "SELECT fhir.create_lake('copy')" >/dev/null
check 'every version is taken' t "$(PGOPTIONS='-c fhir.lake=copy' sql -c "SELECT sum(rejected) = 0 AND sum(loaded) > 100000 AND sum(deleted) > 0 FROM fhir.load('$work/out', keep_versions => true)")"
check 'the resources are the same to the last byte' 0 "$(sql -c "SELECT count(*) FROM (SELECT type, id, version, last_updated, resource::text, search::text FROM lake.resource EXCEPT ALL SELECT type, id, version, last_updated, resource::text, search::text FROM copy.resource) d")"
check 'and there are no more' t "$(sql -c 'SELECT (SELECT count(*) FROM lake.resource) = (SELECT count(*) FROM copy.resource)')"
check 'so is their history' 0 "$(sql -c "SELECT count(*) FROM (SELECT type, id, version, last_updated, method, resource::text FROM lake.history WHERE method <> 'DELETE' EXCEPT ALL SELECT type, id, version, last_updated, method, resource::text FROM copy.history) d")"
check 'and when each version ended, but for what was deleted, which was now' 0 "$(sql -c "SELECT count(*) FROM (SELECT type, id, version, superseded FROM lake.history WHERE id IN (SELECT id FROM lake.patient) EXCEPT ALL SELECT type, id, version, superseded FROM copy.history) d")"
check_lake 'of the copy' copy
check 'the same again changes nothing' '0' "$(PGOPTIONS='-c fhir.lake=copy' sql -c "SELECT sum(loaded) + sum(rejected) FROM fhir.load('$work/out', keep_versions => true)")"

check 'no process of the server has failed but the one that was killed' 1 "$(as_server grep -c 'was terminated by signal' "$place/load/log")"
finish
