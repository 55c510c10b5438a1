#!/usr/bin/env bash
# Question: do we call valid what HL7's own validator calls valid, in the cases of github.com/FHIR/fhir-test-cases that FHIR_TEST_CASES holds?
set -euo pipefail
exec cargo test --locked --quiet --no-default-features --test validation -- validator
