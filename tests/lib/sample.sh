# shellcheck shell=bash disable=SC2154,SC2034
# Sample patients, made once by sample/make.py while the compiler works, and kept.
# Needs environment.sh, and `choose_place` to have run: the server's user must be able to read them.

# Begins to make the sample, unless it is there. Sets `sample`, the directory of the NDJSON files.
sample_start() {
  local recipe
  recipe=$(cat "$root"/sample/make.py "$root"/sample/requirements.txt | cksum | cut -d ' ' -f 1)
  sample=$place/sample/$recipe
  sample_process=
  [[ -d $sample ]] && return
  mkdir -p "$place/sample"
  sample_make >"$lake/sample.log" 2>&1 </dev/null 9>&- &
  sample_process=$!
}

sample_make() {
  set -e
  local environment=$lake/synthea
  if ! cmp -s "$root/sample/requirements.txt" "$environment/requirements.txt"; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    # Without its dependencies: what generating patients imports is listed, the rest would be ten times as much.
    "$environment/bin/pip" install -q --disable-pip-version-check --no-deps -r "$root/sample/requirements.txt"
    cp "$root/sample/requirements.txt" "$environment"
  fi
  # Under a name of its own until it is whole: an interrupted run may still be at it.
  local part=$sample.$BASHPID
  "$environment/bin/python" "$root/sample/make.py" "$part"
  mv -T "$part" "$sample" || test -d "$sample"
}

# Waits for the sample; false, with the reason, where it could not be made.
sample_wait() {
  [[ -d $sample ]] && return
  if [[ $sample_process ]]; then
    say 'waiting for the sample patients'
    wait "$sample_process" && return
  fi
  tail -n 5 "$lake/sample.log" >&2
  say "the sample patients could not be made: they need pip and a Python package index (see $lake/sample.log)"
  return 1
}
