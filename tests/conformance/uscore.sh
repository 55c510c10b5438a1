#!/bin/sh
# Every search that US Core 3.1.1, 6.1.0 and 8.0.0 demand (SHALL and SHOULD), on values of the data, against a slow evaluator (README.md).
set -eu
cd "$(dirname "$0")"
. ./needs.sh
exec node uscore.mjs "$@"
