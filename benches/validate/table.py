#!/usr/bin/env python3
"""The figures of measure.rs and peers.mjs as tables, each with its ratio to the crate jsonschema. See README.md."""
import sys

BASE = "jsonschema"
rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[1]) if line.count("\t") == 4]
for data in dict.fromkeys(row[0] for row in rows):
    mine = [row for row in rows if row[0] == data]
    base = next((float(row[3]) for row in mine if row[1] == BASE), None)
    print(f"\n| {data}: {mine[0][2]} resources | µs each | resources/s | to the crate | valid |\n|---|---|---|---|---|")
    for _, way, count, each, valid in mine:
        ratio = f"{base / float(each):.2f}×" if base else ""
        print(f"| {way} | {float(each):.2f} | {1e6 / float(each):,.0f} | {ratio} | {valid} of {count} |")
