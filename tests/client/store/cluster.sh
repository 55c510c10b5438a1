# shellcheck shell=bash disable=SC2034,SC1091,SC2154
# Clusters of a test's own, beside the one that tests/run has made: in the same place, of the same programs. Source it behind
# check.sh; then cluster_start NAME and its neighbours of tests/lib/cluster.sh are there, and sql asks the last one started.

root=$(cd "$store/../../.." && pwd)
place=${PG_BIN%/pg*}
# environment.sh forgets all settings that aim at a server.
kept_bin=$PG_BIN kept_database=$PGDATABASE kept_config=$PG_CONFIG
source "$root/tests/lib/environment.sh"
source "$root/tests/lib/cluster.sh"
export PG_BIN=$kept_bin PGDATABASE=$kept_database PG_CONFIG=$kept_config
pg_bin=$PG_BIN

# Whether a process belongs to a cluster: the server's processes stay in its data directory.
cluster_owns() { [[ $(readlink "/proc/$2/cwd" 2>/dev/null) == "$place/$1/data" && $(readlink "/proc/$2/exe") == "$place"/pg*/* ]]; }

# Waits until no process of a cluster is left; false if some stay.
cluster_is_gone() {
  local try process left
  for try in {1..600}; do
    left=''
    for process in /proc/[0-9]*; do if cluster_owns "$1" "${process#/proc/}"; then left=1; break; fi; done
    [[ $left ]] || return 0
    sleep 0.1
  done
  return 1
}
