#!/bin/sh
# How well notes are read: our own annotated notes, and corpora of the data folder, with a floor for each figure.
set -eu
cd "$(dirname "$0")/../.."
cargo build --locked --quiet --no-default-features --example nlp-scores
exec "${CARGO_TARGET_DIR:-target}/debug/examples/nlp-scores" --floors tests/conformance/nlp/floors.tsv "$@"
