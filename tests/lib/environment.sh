# shellcheck shell=bash disable=SC2154,SC1091
# What the demo and the tests stand on: packages, a place to work in, a private copy of the Postgres tree, our build in it.
# Source it with `root` set to the checkout. It changes nothing outside the checkout, except that it installs missing
# packages, and that it works in a directory under /var/tmp when the server's user cannot reach the checkout.

umask 022
export LC_ALL=C.UTF-8

pg_config=${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}
# Settings of the caller that aim at another server must not reach ours.
for variable in "${!PG@}"; do unset "$variable"; done

lake=$root/.lake

say() { printf '%s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
is_root() { [[ $(id -u) == 0 ]]; }

# --- packages ---------------------------------------------------------------------------------------------------------

missing_packages() {
  local major=15
  [[ $pg_config =~ /postgresql/([0-9]+)/ ]] && major=${BASH_REMATCH[1]}
  [[ -x ${pg_config%/*}/postgres && -x ${pg_config%/*}/psql ]] || echo "postgresql-$major"
  [[ -x $pg_config && -f $("$pg_config" --includedir-server)/postgres.h ]] || echo "postgresql-server-dev-$major"
  command -v gcc >/dev/null || echo gcc
  [[ -f /usr/include/stdio.h ]] || echo libc6-dev
  command -v pkg-config >/dev/null || echo pkg-config
  command -v xz >/dev/null || echo xz-utils
  command -v python3 >/dev/null || echo python3
  python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
  # The bindings to Postgres are made by bindgen, which needs libclang and clang's own headers, not the compiler.
  local debian=
  [[ -r /etc/os-release ]] && debian=$(. /etc/os-release && echo "${ID:-}${VERSION_ID:-}")
  if ! compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null ||
     ! compgen -G '/usr/lib/llvm-*/lib/clang/*/include/stddef.h' >/dev/null; then
    if [[ $debian == debian12 ]]; then echo libclang1-14 libclang-common-14-dev; else echo libclang-dev; fi
  fi
}

ensure_packages() {
  local packages as=()
  mapfile -t packages < <(missing_packages | tr ' ' '\n')
  if ((${#packages[@]})); then
    is_root || as=(sudo)
    command -v apt-get >/dev/null || die "these Debian packages (or their like) are needed: ${packages[*]}"
    is_root || command -v sudo >/dev/null ||
      die "these packages are missing; ask an administrator to run:" "  apt-get install --no-install-recommends ${packages[*]}"
    # Without a terminal nobody can type a password.
    is_root || [[ -t 0 ]] || as+=(-n)
    say "installing packages: ${packages[*]}"
    "${as[@]}" apt-get update -qq
    if [[ " ${packages[*]} " =~ \ postgresql-[0-9]+\  && ! -e /etc/postgresql-common/createcluster.conf ]]; then
      install_without_cluster "${packages[@]}"
    else
      apt_install "${packages[@]}"
    fi
    [[ -z $(missing_packages) ]] || die "still missing after the installation: $(missing_packages | xargs)"
  fi
  command -v cargo >/dev/null || PATH=$HOME/.cargo/bin:$PATH
  cargo --version >/dev/null || die "cargo is needed: install Rust with rustup, see https://rustup.rs"
}

apt_install() {
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

# Debian's server package makes and starts a cluster of its own on port 5432. We have no use for it.
install_without_cluster() {
  local settings=/etc/postgresql-common/createcluster.conf
  apt_install postgresql-common
  "${as[@]}" cp -p "$settings" "$settings.fhirlake"
  echo 'create_main_cluster = false' | "${as[@]}" tee "$settings" >/dev/null
  local failed=0
  apt_install "$@" || failed=1
  "${as[@]}" mv "$settings.fhirlake" "$settings"
  ((!failed)) || die "could not install: $*"
}

# --- who runs the server, and where -----------------------------------------------------------------------------------

# Postgres refuses to run as root.
server_user() {
  if ! is_root; then id -un; elif id postgres >/dev/null 2>&1; then echo postgres; else echo nobody; fi
}

# A command as the server's user, away from directories that this user cannot enter, without our lock (9).
# RUST_BACKTRACE would add a stack of frames to the DETAIL of each error.
as_server() (
  exec 9>&-
  cd /
  local run=()
  is_root && run=(runuser -u "$(server_user)" --)
  exec "${run[@]}" env -u RUST_BACKTRACE -u RUST_LIB_BACKTRACE "$@"
)

# Sets `place`, where the server's files live: .lake, or else a directory whose name is kept in .lake/place.
choose_place() {
  mkdir -p "$lake"
  if as_server test -x "$lake" -a -r "$lake" 2>/dev/null; then
    place=$lake
    return
  fi
  [[ -f $lake/place ]] && place=$(<"$lake/place")
  if [[ -z ${place:-} || ! -d $place || ! -O $place ]]; then
    place=$(mktemp -d "${TMPDIR:-/var/tmp}/fhirlake-$(basename "$root").XXXXXX")
    as_server test -x "${place%/*}" || die "user $(server_user) cannot reach ${place%/*}: set TMPDIR to a directory open to all"
    echo "$place" >"$lake/place"
  fi
  chmod 755 "$place"
}

# --- Postgres and our build in it -------------------------------------------------------------------------------------

# Sets `pg_copy` (its pg_config) and `pg_bin`. Postgres finds its files relative to its program, so a copy that keeps the
# relative paths is a server of its own, and installing into it needs no rights and harms nobody.
copy_postgres() {
  local bin lib share common version copy
  bin=$("$pg_config" --bindir) lib=$("$pg_config" --pkglibdir) share=$("$pg_config" --sharedir)
  common=$bin
  while [[ $lib/ != "$common"/* || $share/ != "$common"/* ]]; do common=${common%/*}; done
  [[ $("$pg_config" --version) =~ ^PostgreSQL\ ([0-9]+) ]]
  copy=$place/pg${BASH_REMATCH[1]}
  pg_bin=$copy/${bin#"$common"/}
  pg_copy=$pg_bin/pg_config
  version="$pg_config $("$pg_config" --version) $(stat -c %Y "$bin/postgres")"
  [[ -f $copy/version && $(<"$copy/version") == "$version" ]] && return
  say "copying $("$pg_config" --version) to $copy"
  rm -rf "$copy"
  mkdir -p "$copy"
  if [[ $common == /usr || -z $common ]]; then
    local directory
    for directory in "$bin" "$lib" "$share"; do
      mkdir -p "$copy/${directory#"$common"/}"
      cp -a --no-preserve=ownership "$directory/." "$copy/${directory#"$common"/}"
    done
    ln -s "$common/include" "$copy/include"
  else
    cp -a --no-preserve=ownership "$common/." "$copy"
  fi
  echo "$version" >"$copy/version"
}

# One build serves demo and tests. It is the one that users get, with the tests that run inside the server added.
install_build() {
  "$root/install" --features pg_test --build-for "$pg_config" --pg-config "$pg_copy" 9>&-
}

prepare() {
  ensure_packages
  choose_place
  copy_postgres
}
