#!/usr/bin/env python3
"""Times writes with and without referential integrity, ours and plain SQL in turn, and prints a table. See README.md."""
import argparse
import glob
import json
import os
import re
import statistics
import subprocess
import tempfile

NAMES = dict(loose="fhirlake, off", strict="fhirlake, enforce", bare="plain SQL", keyed="plain SQL, foreign keys")
PLAIN = ("bare", "keyed")
SETS = "\\set n random(0, {last})\n\\set k random(1, 1000000000000)\n\\set l random({many} + 1, {lonely})\n"


def lake(sql):
    return {way: sql.format(schema=way) for way in ("loose", "strict")}


def plain(sql):
    return {way: sql.format(schema=way) for way in PLAIN}


def single(o):
    """Statements that are transactions of their own, by pgbench."""
    made = f"observation(:doc, 'k' || :k::text, :n, {o.patients}, {o.encounters})"
    kept = f"observation(:doc, 'o' || :n::text, :n, {o.patients}, {o.encounters}) || jsonb_build_object('issued', '2020-01-01T00:00:00.' || :k::text || 'Z')"
    return [
        ("create an observation, three references", {
            **lake(f"SELECT fhir.create({made});"),
            **plain(f"INSERT INTO {{schema}}.observation (id, doc) VALUES ('k' || :k::text, {made}) RETURNING doc;")}),
        ("update an observation, its references stay", {
            **lake(f"SELECT fhir.update({kept});"),
            **plain(f"UPDATE {{schema}}.observation SET doc = {kept} WHERE id = 'o' || :n::text RETURNING doc;")}),
        ("delete an observation", {
            **lake("DELETE FROM {schema}.observation WHERE type = 'Observation' AND id = 'o' || :n::text;"),
            **plain("DELETE FROM {schema}.observation WHERE id = 'o' || :n::text;")}),
        ("delete a patient to whom nothing refers", {
            **lake("DELETE FROM {schema}.patient WHERE type = 'Patient' AND id = 'l' || :l::text;"),
            **plain("DELETE FROM {schema}.patient WHERE id = 'l' || :l::text;")}),
    ]


def whole(o):
    """Transactions of many rows, by psql; each is asked about as at its end and rolled back, so that the next finds the same."""
    some = o.patients // 2
    patients = f"(SELECT 'p' || i FROM generate_series(0, {some - 1}) i)"
    homes = f"(SELECT 'Patient/p' || i FROM generate_series(0, {some - 1}) i)"
    lonely = f"(SELECT 'l' || i FROM generate_series(1, {o.many}) i)"
    return [
        (f"insert {o.bulk:,} observations", {
            **lake("INSERT INTO {schema}.observation (resource) SELECT doc FROM more;"),
            **plain("INSERT INTO {schema}.observation (id, doc) SELECT id, doc FROM more;")}),
        (f"delete {o.many:,} patients to whom nothing refers", {
            **lake(f"DELETE FROM {{schema}}.patient WHERE id IN {lonely};"),
            **plain(f"DELETE FROM {{schema}}.patient WHERE id IN {lonely};")}),
        (f"delete {some:,} patients with {o.size // o.patients * some:,} observations and {o.encounters // o.patients * some:,} encounters", {
            **lake("".join(f"DELETE FROM {{schema}}.{t} WHERE compartment IN {homes};" for t in ("patient", "encounter", "observation"))),
            **plain("".join(f"DELETE FROM {{schema}}.{t} WHERE {c} IN {patients};" for t, c in (("patient", "id"), ("encounter", "patient"), ("observation", "patient"))))}),
        (f"delete a patient with {o.size // o.patients} observations and {o.encounters // o.patients} encounters", {
            **lake("".join(f"DELETE FROM {{schema}}.{t} WHERE compartment = 'Patient/p7';" for t in ("patient", "encounter", "observation"))),
            **plain("".join(f"DELETE FROM {{schema}}.{t} WHERE {c} = 'p7';" for t, c in (("patient", "id"), ("encounter", "patient"), ("observation", "patient"))))}),
        ("the same by fhir.purge", lake("SELECT count(*) FROM fhir.purge('Patient/p7', preview => false);")),
        ("fhir.erase of an observation", lake("SELECT count(*) FROM fhir.erase('Observation', 'o7');")),
    ]


def environment(way):
    return {**os.environ, "PGOPTIONS": f"-c fhir.lake={way}"}


def query(sql):
    return subprocess.run([os.environ["PSQL"], "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", sql], check=True, capture_output=True, text=True).stdout.strip()


def by_pgbench(way, sql, o):
    """The latency of each transaction in ms."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "script")
        with open(path, "w") as file:
            file.write(SETS.format(last=o.size - 1, many=o.many, lonely=o.lonely) + sql + "\n")
        command = [os.environ["PGBENCH"], "-n", "-c", "1", "-M", "prepared", "-t", str(o.count), "-f", path, "-D", "doc=" + o.doc, "-l", "--log-prefix", os.path.join(directory, "log")]
        done = subprocess.run(command, capture_output=True, text=True, env=environment(way))
        if done.returncode:
            raise SystemExit(done.stderr)
        times = [int(line.split()[2]) / 1000 for log in glob.glob(os.path.join(directory, "log.*")) for line in open(log)]
    # the first statements prepare and fill caches of a new session
    return statistics.median(times[min(20, len(times) // 4):])


def by_psql(way, sql):
    """Milliseconds of the statements and of what is asked at the end."""
    script = f"SELECT count(*) FROM {way}.practitioner;\n\\timing on\nBEGIN;\n{sql.replace(';', ';' + chr(10))}\nSET CONSTRAINTS ALL IMMEDIATE;\n\\timing off\nROLLBACK;\n"
    done = subprocess.run([os.environ["PSQL"], "-XqAt", "-v", "ON_ERROR_STOP=1"], input=script, capture_output=True, text=True, env=environment(way))
    if done.returncode:
        raise SystemExit(done.stderr)
    return sum(float(found) for found in re.findall(r"^Time: ([0-9.]+) ms", done.stdout, re.M))


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("size", 100000), ("patients", 1000), ("lonely", 10000), ("bulk", 20000), ("rounds", 5), ("count", 200)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--doc", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--out")
    o = parser.parse_args()
    o.doc = open(o.doc).read().strip()
    o.encounters = o.size // 10
    # these are deleted at once, the others one by one
    o.many = o.lonely // 10

    print("| | " + " | ".join(NAMES.values()) + " | enforce to off | foreign keys to none | enforce to foreign keys |")
    print("|---|" + "---|" * 7)
    results = []
    shapes = [(name, ways, lambda way, sql: by_psql(way, sql)) for name, ways in whole(o)] + [(name, ways, lambda way, sql: by_pgbench(way, sql, o)) for name, ways in single(o)]
    for name, ways, measure in shapes:
        if o.only not in name:
            continue
        times = {way: [] for way in ways}
        for number in range(o.rounds + 1):
            for way, sql in ways.items():
                found = measure(way, sql)
                # the first round warms up
                if number:
                    times[way].append(found)
            query("VACUUM")
        # The quietest round of each: what else the machine does only adds.
        best = {way: min(found) for way, found in times.items()}
        ratio = lambda a, b: f"{best[a] / best[b]:.2f}×" if a in best and b in best else ""
        cells = [f"{best[way]:.3f}" if best.get(way, 0) < 10 else f"{best[way]:,.0f}" if best[way] >= 100 else f"{best[way]:.1f}" for way in best]
        cells += [""] * (len(NAMES) - len(cells))
        print(f"| {name} | " + " | ".join(cells) + f" | {ratio('strict', 'loose')} | {ratio('keyed', 'bare')} | {ratio('strict', 'keyed')} |", flush=True)
        results.append(dict(name=name, milliseconds=best, rounds=times))
    print("\n" + query("SELECT format('%s; shared_buffers %s, synchronous_commit %s, fsync %s, full_page_writes %s', split_part(version(), ' (', 1), current_setting('shared_buffers'), current_setting('synchronous_commit'), current_setting('fsync'), current_setting('full_page_writes'))"))
    if o.out:
        json.dump(results, open(o.out, "w"), indent=1)


main()
