#!/usr/bin/env bash
# Question: of valid resources that are broken in one place, which does each level of validation find?
set -euo pipefail
exec cargo test --locked --quiet --no-default-features --test validation -- mutations
