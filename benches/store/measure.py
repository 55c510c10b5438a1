#!/usr/bin/env python3
"""Times reads and writes of single resources with pgbench, ours and the peers in turn, and prints a table. See README.md."""
import argparse
import glob
import json
import os
import statistics
import subprocess
import tempfile

# The document as a client sends it: text, with another value, key and patient each time.
DOC = "replace(replace(replace(:doc, '#value#', :v::text), '#key#', 'k' || :n::text), '#patient#', :p::text)::jsonb"
SETS = "\\set n random(1, {size})\n\\set v random(40, 129)\n\\set p random(0, 499)\n\\set k random(1, 1000000000000)\n\\set b random(1, 50)\n"
WITH_ID = f"({DOC} || jsonb_build_object('id', 'o' || :n::text))"
NEW_KEY = DOC.replace("'k' || :n::text", ":k::text")
OLD_KEY = DOC.replace("'k' || :n::text", ":n::text")


def containing(key):
    return "doc @> jsonb_build_object('identifier', jsonb_build_array(jsonb_build_object('system', 'http://bench', 'value', %s)))" % key


def conditional(schema, key, doc):
    return (
        f"WITH found AS (SELECT doc FROM {schema}.doc WHERE {containing(key)} LIMIT 2), "
        f"made AS (INSERT INTO {schema}.doc (id, doc) SELECT gen_random_uuid()::text, {doc} WHERE NOT EXISTS (SELECT FROM found) RETURNING doc) "
        "SELECT doc FROM found UNION ALL SELECT doc FROM made;"
    )


# What is done; by ours, by plain SQL on the bare table, on the table with a history trigger, and by fhirbase's functions.
SHAPES = [
    ("read by id", dict(
        ours="SELECT fhir.read('Observation', 'o' || :n::text);",
        bare="SELECT doc FROM bare.doc WHERE id = 'o' || :n::text;",
        kept="SELECT doc FROM kept.doc WHERE id = 'o' || :n::text;",
        fhirbase="SELECT fhirbase_read('Observation', 'o' || :n::text);")),
    ("read by id, plain SQL", dict(
        ours="SELECT resource FROM lake.observation WHERE type = 'Observation' AND id = 'o' || :n::text;",
        bare="SELECT doc FROM bare.doc WHERE id = 'o' || :n::text;",
        kept="SELECT doc FROM kept.doc WHERE id = 'o' || :n::text;")),
    ("create", dict(
        ours=f"SELECT fhir.create({DOC});",
        bare=f"INSERT INTO bare.doc VALUES (gen_random_uuid()::text, {DOC}) RETURNING doc;",
        kept=f"INSERT INTO kept.doc (id, doc) VALUES (gen_random_uuid()::text, {DOC}) RETURNING doc;",
        fhirbase=f"SELECT fhirbase_create({DOC});")),
    ("create, plain SQL", dict(
        ours=f"INSERT INTO lake.observation (resource) VALUES ({DOC}) RETURNING resource;",
        bare=f"INSERT INTO bare.doc VALUES (gen_random_uuid()::text, {DOC}) RETURNING doc;",
        kept=f"INSERT INTO kept.doc (id, doc) VALUES (gen_random_uuid()::text, {DOC}) RETURNING doc;")),
    ("update", dict(
        ours=f"SELECT fhir.update({WITH_ID});",
        bare=f"UPDATE bare.doc SET doc = {WITH_ID} WHERE id = 'o' || :n::text RETURNING doc;",
        kept=f"UPDATE kept.doc SET doc = {WITH_ID} WHERE id = 'o' || :n::text RETURNING doc;",
        fhirbase=f"SELECT fhirbase_update({WITH_ID});")),
    ("conditional create, new", dict(
        ours=f"SELECT fhir.create({NEW_KEY}, 'identifier=http://bench|' || :k::text);",
        bare=conditional("bare", ":k::text", NEW_KEY),
        kept=conditional("kept", ":k::text", NEW_KEY))),
    ("conditional create, there", dict(
        ours=f"SELECT fhir.create({OLD_KEY}, 'identifier=http://bench|' || :n::text);",
        bare=conditional("bare", ":n::text", OLD_KEY),
        kept=conditional("kept", ":n::text", OLD_KEY))),
    ("transaction of 100 creates", dict(
        ours="SELECT fhir.bundle(bundle) FROM bundles WHERE n = :b;",
        bare="INSERT INTO bare.doc SELECT gen_random_uuid()::text, e->'resource' FROM bundles, jsonb_array_elements(bundle->'entry') e WHERE n = :b RETURNING doc;",
        kept="INSERT INTO kept.doc (id, doc) SELECT gen_random_uuid()::text, e->'resource' FROM bundles, jsonb_array_elements(bundle->'entry') e WHERE n = :b RETURNING doc;",
        fhirbase="SELECT fhirbase_create(e->'resource') FROM bundles, jsonb_array_elements(bundle->'entry') e WHERE n = :b;")),
]
NAMES = dict(ours="fhirlake", bare="bare table", kept="history trigger", fhirbase="fhirbase")


def query(sql):
    return subprocess.run([os.environ["PSQL"], "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], check=True, capture_output=True, text=True).stdout.strip()


def bench(script, count, doc):
    """The latency of each transaction in ms, and the bytes of WAL that all wrote."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "script")
        with open(path, "w") as file:
            file.write(script)
        before = query("SELECT pg_current_wal_insert_lsn()")
        command = [os.environ["PGBENCH"], "-n", "-c", "1", "-M", "prepared", "-t", str(count), "-f", path, "-D", "doc=" + doc, "-l", "--log-prefix", os.path.join(directory, "log")]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        wal = int(query(f"SELECT pg_current_wal_insert_lsn() - '{before}'::pg_lsn"))
        times = [int(line.split()[2]) / 1000 for log in glob.glob(os.path.join(directory, "log.*")) for line in open(log)]
    return times, wal


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--only", default="")
    parser.add_argument("--out")
    options = parser.parse_args()
    doc = open(os.path.join(os.path.dirname(__file__), "observation.json")).read().strip()

    has_bundle = query("SELECT count(*) FROM pg_proc WHERE pronamespace = 'fhir'::regnamespace AND proname = 'bundle'") == "1"
    has_fhirbase = query("SELECT to_regclass('public.observation') IS NOT NULL") == "t"
    print("| | " + " | ".join(NAMES.values()) + " | to bare | to trigger | WAL, bytes | bare | trigger |")
    print("|---|" + "---|" * 9)
    results = []
    for name, ways in SHAPES:
        if options.only not in name:
            continue
        ways = {way: sql for way, sql in ways.items() if way != "fhirbase" or has_fhirbase}
        if "fhir.bundle" in ways["ours"] and not has_bundle:
            print(f"skipped: {name}: there is no fhir.bundle")
            continue
        count = max(5, options.count // 25) if "100" in name else options.count
        times, wal = {way: [] for way in ways}, {way: 0 for way in ways}
        for number in range(options.rounds + 1):
            for way, sql in ways.items():
                found, bytes_ = bench(SETS.format(size=options.size) + sql + "\n", count, doc)
                # The first round warms up. In each further one the first statements prepare and fill caches of a new session.
                if number:
                    times[way].append(statistics.median(found[min(20, len(found) // 4):]))
                    wal[way] += bytes_
        # The quietest round of each: what else the machine does only adds.
        median = {way: min(found) for way, found in times.items()}
        ratio = {way: median["ours"] / found for way, found in median.items()}
        bytes_ = {way: wal[way] / (count * options.rounds) for way in ways}
        cell = lambda values, way, form: format(values[way], form) if way in values else ""
        print(f"| {name} | " + " | ".join(cell(median, way, ".3f") for way in NAMES) + f" | {ratio['bare']:.2f}× | {ratio['kept']:.2f}× | "
              + " | ".join(cell(bytes_, way, ".0f") for way in ("ours", "bare", "kept")) + " |", flush=True)
        results.append(dict(name=name, milliseconds=median, ratio=ratio, wal=bytes_, rounds=times))
    sizes = query("SELECT format('%s, %s observations in a lake now; shared_buffers %s, synchronous_commit %s, fsync %s, full_page_writes %s', split_part(version(), ' (', 1), (SELECT count(*) FROM lake.observation), current_setting('shared_buffers'), current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'))")
    print("\n" + sizes)
    if options.out:
        json.dump(results, open(options.out, "w"), indent=1)


main()
