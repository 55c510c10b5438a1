#!/usr/bin/env python3
"""Times loads of one file with and without validation, in turn, and prints a table. See README.md."""
import argparse
import os
import subprocess
import time


def psql(database, sql):
    done = subprocess.run([os.environ["PSQL"], "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip()


parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--rounds", type=int, default=5)
arguments = parser.parse_args()

LEVELS = ["off", "structure"]
best = {level: (float("inf"), float("inf")) for level in LEVELS}
for turn in range(arguments.rounds):
    for level in LEVELS if turn % 2 == 0 else reversed(LEVELS):
        psql("postgres", "DROP DATABASE IF EXISTS bench")
        psql("postgres", "CREATE DATABASE bench")
        psql("bench", "CREATE EXTENSION fhirlake; SELECT fhir.create_lake('lake')")
        psql("bench", "CHECKPOINT")
        # the CPU time of the backend with its threads, as the server's own clock has it
        sql = f"SELECT count(*) FROM fhir.load('{arguments.file}', validation => '{level}'); SELECT pg_read_file('/proc/self/stat')"
        start = time.monotonic()
        told = psql("bench", sql)
        wall = time.monotonic() - start
        fields = told.splitlines()[-1].rsplit(")", 1)[1].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        best[level] = min(best[level], (wall, cpu))
print("\n| loading with validation | seconds | CPU s | to none |\n|---|---|---|---|")
for level in LEVELS:
    wall, cpu = best[level]
    print(f"| {level} | {wall:.2f} | {cpu:.2f} | {wall / best['off'][0]:.3f}× wall, {cpu / best['off'][1]:.3f}× CPU |")
