#!/usr/bin/env python3
"""Times ways of bringing one NDJSON file into Postgres and out again, in turn, and prints a table. See README.md."""
import argparse
import json
import os
import subprocess
import threading
import time

# Without a quote or delimiter that occurs, CSV takes each line as it is.
AS_IT_IS = "(FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
STAGE = "CREATE TABLE plain (doc jsonb NOT NULL);\nCOPY plain FROM '{file}' " + AS_IT_IS + ";\n"

# fhirbase keeps a table for each type: its columns, by its published schema.
FHIRBASE = STAGE + """
DO $$
DECLARE type text;
BEGIN
    FOR type IN SELECT DISTINCT doc->>'resourceType' FROM plain LOOP
        EXECUTE format('CREATE TABLE %I (id text NOT NULL, txid bigint NOT NULL, ts timestamptz DEFAULT current_timestamp, resource_type text DEFAULT %L, status text NOT NULL, resource jsonb NOT NULL)', 'fb_' || lower(type), type);
        EXECUTE format('INSERT INTO %I (id, txid, status, resource) SELECT doc->>''id'', 0, ''created'', doc FROM plain WHERE doc->>''resourceType'' = %L', 'fb_' || lower(type), type);
        EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (id)', 'fb_' || lower(type));
        EXECUTE format('CREATE INDEX ON %I USING gin (resource jsonb_path_ops)', 'fb_' || lower(type));
    END LOOP;
END $$;
"""

WAYS = {
    "a: COPY into jsonb": STAGE,
    "b: and a key, and GIN": STAGE + "CREATE UNIQUE INDEX ON plain ((doc->>'resourceType'), (doc->>'id'));\nCREATE INDEX ON plain USING gin (doc jsonb_path_ops);\n",
    "c: fhir.load": "SELECT * FROM fhir.load('{file}');\n",
    "d: tables as fhirbase's": FHIRBASE,
}


def psql(database, sql):
    done = subprocess.run([os.environ["PSQL"], "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip()


def memory(pid):
    """Bytes that are this process's alone: what it shares, the buffers, does not count."""
    try:
        lines = open(f"/proc/{pid}/status").read().splitlines()
    except OSError:
        return 0
    return max((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), default=0)


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(database, sql):
    """Wall and CPU seconds of a session that runs this, its largest memory, and the bytes of WAL written meanwhile."""
    psql("postgres", "CHECKPOINT")
    before = psql("postgres", "SELECT pg_current_wal_insert_lsn()")
    session = subprocess.Popen([os.environ["PSQL"], "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    session.stdin.write("SELECT pg_backend_pid();\n")
    session.stdin.flush()
    pid = int(session.stdout.readline())
    peak, running = [0], threading.Event()

    def watch():
        while not running.is_set():
            peak[0] = max(peak[0], memory(pid))
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun, used = time.monotonic(), cpu(pid)
    session.stdin.write(sql + "\\echo done\n")
    session.stdin.flush()
    for line in session.stdout:
        if line.strip() == "done":
            break
    else:
        raise SystemExit(session.stderr.read())
    took, used = time.monotonic() - begun, cpu(pid) - used
    running.set()
    watcher.join()
    session.communicate("\\q\n")
    wal = int(psql("postgres", f"SELECT pg_current_wal_insert_lsn() - '{before}'::pg_lsn"))
    return dict(seconds=took, cpu=used, memory=peak[0], wal=wal)


def best(runs):
    """The quietest: what else the machine does only adds."""
    return min(runs, key=lambda run: run["seconds"])


def row(name, run, rows, size, first):
    print(f"| {name} | {run['seconds']:.1f} | {rows / run['seconds']:.0f} | {size / run['seconds'] / 1e6:.1f} | {run['cpu']:.1f} | {run['memory'] / 2**20:.0f} | {run['wal'] / 1e6:.0f} | {run['seconds'] / first:.2f}× |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sizes", nargs="+")
    parser.add_argument("--folder", required=True)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", default="")
    parser.add_argument("--no-export", action="store_true")
    parser.add_argument("--out")
    options = parser.parse_args()
    results = []
    print("| | seconds | rows/s | MB/s | CPU s | memory, MiB | WAL, MB | to the first |\n|---|" + "---|" * 7)
    for name in options.sizes:
        file = os.path.join(options.folder, name + ".ndjson")
        size, rows = os.path.getsize(file), sum(1 for _ in open(file, "rb"))
        ways = dict(WAYS)
        for workers in options.workers.split():
            ways[f"c: fhir.load, {workers} workers"] = f"SET fhir.load_workers = {workers};\n" + WAYS["c: fhir.load"]
        runs = {way: [] for way in ways}
        for number in range(options.rounds):
            for way, sql in ways.items():
                psql("postgres", "DROP DATABASE IF EXISTS bench")
                psql("postgres", "CREATE DATABASE bench")
                if "fhir." in sql:
                    psql("bench", "CREATE EXTENSION fhirlake; SELECT fhir.create_lake()")
                runs[way].append(measured("bench", sql.replace("{file}", file)))
                if "fhir." in sql:
                    found = int(psql("bench", "SELECT count(*) FROM lake.resource"))
                    if found != rows:
                        raise SystemExit(f"{found} of {rows} resources were loaded")
        print(f"| **{rows} resources, {size / 1e6:.0f} MB** |" + " |" * 7)
        first = best(runs["a: COPY into jsonb"])["seconds"]
        for way, found in runs.items():
            row(way, best(found), rows, size, first)
        results.append(dict(rows=rows, bytes=size, ways=runs))
        if not options.no_export:
            results[-1]["export"] = out(options.folder, file, rows, size, options.rounds)
    print("\n" + psql("postgres", "SELECT format('%s, shared_buffers %s, maintenance_work_mem %s, wal_level %s', split_part(version(), ' (', 1), current_setting('shared_buffers'), current_setting('maintenance_work_mem'), current_setting('wal_level'))"))
    if options.out:
        json.dump(results, open(options.out, "w"), indent=1)


def out(folder, file, rows, size, rounds):
    """Out again: the resources of a lake, as NDJSON."""
    psql("postgres", "DROP DATABASE IF EXISTS bench")
    psql("postgres", "CREATE DATABASE bench")
    psql("bench", "CREATE EXTENSION fhirlake; SELECT fhir.create_lake()")
    psql("bench", f"SELECT fhir.load('{file}')")
    psql("bench", "VACUUM ANALYZE")
    ways = {
        "COPY … TO": f"COPY (SELECT resource FROM lake.resource) TO '{folder}/copy.ndjson' {AS_IT_IS};\n",
        "fhir.export": f"SELECT * FROM fhir.export('{folder}/out');\n",
        "fhir.export, zstd": f"SELECT * FROM fhir.export('{folder}/out', compression => 'zstd');\n",
        "fhir.export, gzip": f"SELECT * FROM fhir.export('{folder}/out', compression => 'gzip');\n",
        "fhir.export, Parquet": f"SELECT * FROM fhir.export('{folder}/out', format => 'parquet');\n",
    }
    runs = {way: [] for way in ways}
    for number in range(rounds):
        for way, sql in ways.items():
            subprocess.run(["rm", "-rf", f"{folder}/out"], check=True)
            os.mkdir(f"{folder}/out")
            os.chmod(f"{folder}/out", 0o777)
            runs[way].append(measured("bench", sql))
    first = best(runs["COPY … TO"])["seconds"]
    written = os.path.getsize(f"{folder}/copy.ndjson")
    for way, found in runs.items():
        row(way, best(found), rows, written, first)
    os.remove(f"{folder}/copy.ndjson")
    return runs


main()
