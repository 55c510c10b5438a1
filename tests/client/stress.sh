#!/usr/bin/env bash
# Question: do many clients at once, in every isolation level, ever meet an error, a deadlock, a lost update or half a write, or
# leave a lake that is not in order? STRESS_SECONDS (20) is how long they write.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/store/check.sh"

seconds=${STRESS_SECONDS:-20}
if [[ ! -x $PG_BIN/pgbench ]]; then
  skip "there is no pgbench in $PG_BIN"
  finish; exit
fi
[[ $("$PG_BIN/pgbench" --version) =~ \ ([0-9]+) ]]
if ((BASH_REMATCH[1] < 15)); then
  skip 'pgbench retries only from Postgres 15 on'
  finish; exit
fi

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
install_checks
sql -f "$store/stress/setup.sql" >/dev/null

# bench ISOLATION CLIENTS [SCRIPT@WEIGHT…]: 40001 is tried again, as the server's manual asks; any other error ends the client.
bench() {
  local name=${1// /_} level=${1// /\\ } clients=$2 script files=()
  shift 2
  for script in "$@"; do files+=(-f "$store/stress/${script%@*}.pgbench@${script#*@}"); done
  PGOPTIONS="-c default_transaction_isolation=$level" "$PG_BIN/pgbench" -n -c "$clients" -j 2 -T "$seconds" --max-tries=0 \
    --failures-detailed "${files[@]}" "$PGDATABASE" >"$work/$name.out" 2>"$work/$name.err" || echo "pgbench ended with status $?" >>"$work/$name.err"
}
mix=(create@2 update@4 increment@4 condition@3 delete@3 dml@3 transaction@2 rollback@1 read@4 bundle@1 batch@2 many@1 refer@2 erase@1 revert@1)
bench 'read committed' 12 "${mix[@]}" vacuum@1 &
bench 'repeatable read' 3 "${mix[@]}" &
bench 'serializable' 3 "${mix[@]}" &
wait

for level in read_committed repeatable_read serializable; do
  # pgbench reports what it tries again only when asked to; what it says here ended a client.
  check "$level: no client met an error" '' "$(grep -v '^pgbench (' "$work/$level.err" | head -n 10 || true)"
  done=$(sed -n 's/^number of transactions actually processed: \([0-9]*\).*/\1/p' "$work/$level.out")
  check "$level: work was done" yes "$( ((${done:-0} > 0)) && echo yes || tail -n 20 "$work/$level.out")"
  echo "$level: ${done:-0} transactions in $seconds s"
done

# The views of statistics are behind by up to a second.
sql -c 'SELECT pg_stat_force_next_flush()' >/dev/null
check 'no deadlock' 0 "$(sql -c 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()')"
check 'no increment was lost' '' "$(sql -c "
  SELECT o.id, o.resource->>'valueInteger', count(i) FROM lake.observation o LEFT JOIN stress.increment i ON i.counter = o.id
  WHERE o.id LIKE 'counter-%' GROUP BY 1, 2 HAVING (o.resource->>'valueInteger')::bigint <> count(i) OR count(i) = 0")"
echo "$(sql -F ' ' -c "SELECT count(*) FROM stress.increment") increments, $(sql -c 'SELECT count(*) FROM lake.resource') resources, $(sql -c 'SELECT count(*) FROM lake.history') versions before them"
check 'an increment is a version' 0 "$(sql -c "
  SELECT count(*) FROM lake.observation o WHERE o.id LIKE 'counter-%' AND o.version <> 1 + (o.resource->>'valueInteger')::bigint")"
check 'a condition made one resource' '' "$(sql -c "
  SELECT c.kind, c.value, count(p) FROM (SELECT DISTINCT * FROM stress.condition) c
  LEFT JOIN (SELECT resource->'identifier'->0->>'system', resource->'identifier'->0->>'value' FROM lake.patient) p (kind, value) USING (kind, value)
  GROUP BY 1, 2 HAVING count(p) <> 1 LIMIT 5")"
check 'and conditions were met by several' t "$(sql -c "
  SELECT count(*) > count(DISTINCT (kind, value)) AND count(DISTINCT kind) = 2 FROM stress.condition")"
check 'what was rolled back is not there' 0 "$(sql -c "
  SELECT (SELECT count(*) FROM lake.membership WHERE compartment IN ('Patient/s9', 'Patient/s8')) + (SELECT count(*) FROM lake.resource WHERE compartment = 'Patient/s9' AND type = 'Observation')")"
check 'no reference leads nowhere' '' "$(sql -c 'SELECT * FROM fhir.dangling_references() LIMIT 5')"
check 'patients to whom something refers were deleted, and not deleted' t "$(sql -c "SELECT array_agg(DISTINCT status) @> ARRAY[201, 204, 409, 422] FROM stress.answer")"
check 'what was erased left nothing' '' "$(sql -c "
  SELECT type, id FROM lake.resource WHERE id LIKE 'z%' OR compartment LIKE 'Patient/z%' UNION ALL
  SELECT type, id FROM lake.history WHERE id LIKE 'z%' OR compartment LIKE 'Patient/z%' LIMIT 5")"
check_lake 'after it'
check 'reached: every kind of write has happened' t "$(sql -c "
  SELECT count(*) FILTER (WHERE method = 'DELETE') > 0 AND count(*) FILTER (WHERE method = 'POST') > 0 AND count(*) FILTER (WHERE method = 'PUT') > 0
     AND EXISTS (SELECT FROM lake.membership) FROM lake.history")"
sql -c "SELECT fhir.drop_lake('lake'); DROP SCHEMA stress, tests CASCADE" 2>/dev/null
finish
