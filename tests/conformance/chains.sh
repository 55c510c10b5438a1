#!/bin/sh
# Chains, _has, includes, orders, pages, lists, compartments and _filter on Synthea patients, against a slow evaluator (README.md).
set -eu
cd "$(dirname "$0")"
. ./needs.sh
exec node chains.mjs "$@"
