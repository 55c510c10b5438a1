#!/bin/sh
# ICD-10-CM, as the package simple-icd-10-cm carries it, loaded into a lake: hierarchy, look-ups and searches against that package.
set -eu
cd "$(dirname "$0")"
skip() { echo "skipped: $1"; echo '0 passed, 0 failed, 1 skipped'; exit; }
command -v python3 >/dev/null || skip 'ICD-10-CM needs python3'
[ -n "${PSQL:-}" ] || skip 'ICD-10-CM needs a database named by PSQL'
place=../../target/icd-10-cm
if [ ! -x $place/bin/python ]; then
  mkdir -p ../../target
  python3 -m venv $place >/dev/null 2>&1 || skip 'ICD-10-CM needs python3-venv'
fi
$place/bin/python -c 'import simple_icd_10_cm' 2>/dev/null || $place/bin/python -m pip install -q 'simple-icd-10-cm==1.5.0' >/dev/null 2>&1 \
  || skip 'simple-icd-10-cm 1.5.0 cannot be installed by pip'
exec $place/bin/python terminology.py "$@"
