# shellcheck shell=bash disable=SC2154,SC2034
# Throwaway clusters in the private Postgres copy: own data directory, own socket directory closed to other users, no TCP.
# Needs environment.sh, and `prepare` to have run. A cluster has a name and lives in $place/<name>.

# The process id of a cluster's server, if it runs and is ours.
cluster_pid() {
  local pid
  pid=$(head -n 1 "$place/$1/data/postmaster.pid" 2>/dev/null) || return 1
  [[ $pid =~ ^[0-9]+$ && $(readlink "/proc/$pid/exe") == "$place"/pg*/* ]] && echo "$pid"
}

# Where a cluster's socket is: beside the data, unless the path is too long for a Unix socket (107 bytes).
cluster_socket() {
  if [[ -f $place/$1/socket ]]; then cat "$place/$1/socket"; else echo "$place/$1/run"; fi
}

# Points PGHOST, PGPORT and PGUSER at a cluster.
cluster_use() {
  PGHOST=$(cluster_socket "$1") PGPORT=54015 PGUSER=postgres
  export PGHOST PGPORT PGUSER
}

# A new, empty cluster under this name; an older one is removed.
cluster_start() {
  local name=$1 user directory socket
  user=$(server_user)
  directory=$place/$name
  cluster_remove "$name"
  install -d -m 700 -o "$user" -g "$(id -gn "$user")" "$directory" "$directory/run"
  socket=$directory/run
  if ((${#socket} > 80)); then
    socket=$(as_server mktemp -d /tmp/fhirlake.XXXXXX)
    echo "$socket" >"$directory/socket"
  fi
  as_server "$pg_bin/initdb" -D "$directory/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >/dev/null
  as_server tee -a "$directory/data/postgresql.conf" >/dev/null <<-END
	listen_addresses = ''
	unix_socket_directories = '$socket'
	port = 54015
	timezone = 'UTC'
	jit = off
	shared_buffers = '256MB'
	max_wal_size = '2GB'
	wal_level = logical
	# It is thrown away: it must survive the death of a process, but not a power cut.
	fsync = off
	full_page_writes = off
	END
  as_server "$pg_bin/pg_ctl" -D "$directory/data" -l "$directory/log" -w -t 60 start >/dev/null </dev/null ||
    die "the server did not start:" "$(as_server tail -n 20 "$directory/log")"
  cluster_use "$name"
  [[ $("$pg_bin/psql" -XAtc 'SHOW data_directory' postgres) == "$directory/data" ]] ||
    die "the server in $socket is not ours"
}

# Waits while a cluster recovers from the death of one of its processes.
cluster_settle() {
  local try
  for try in {1..300}; do
    "$pg_bin/psql" -XAtc 'SELECT 1' postgres >/dev/null 2>&1 && return
    cluster_pid "$1" >/dev/null || break
    sleep 0.2
  done
  die "the server is gone after $try tries:" "$(as_server tail -n 20 "$place/$1/log")"
}

cluster_stop() {
  cluster_pid "$1" >/dev/null || return 0
  as_server "$pg_bin/pg_ctl" -D "$place/$1/data" -m "${2:-fast}" -w stop >/dev/null </dev/null
}

cluster_remove() {
  [[ -d $place/$1 ]] || return 0
  cluster_stop "$1" immediate
  [[ -f $place/$1/socket ]] && rm -rf "$(<"$place/$1/socket")"
  rm -rf "${place:?}/$1"
}
