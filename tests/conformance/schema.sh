#!/usr/bin/env bash
# Question: is what the official JSON Schema of R4 refuses refused by the structure level, on all examples and on broken ones?
set -euo pipefail
exec cargo test --locked --quiet --no-default-features --test validation -- schema
