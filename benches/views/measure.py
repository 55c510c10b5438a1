#!/usr/bin/env python3
"""Times full scans of two flat views beside SQL by hand, sof-js and DuckDB: see README.md. `run` calls it."""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

here = pathlib.Path(__file__).parent
parser = argparse.ArgumentParser()
parser.add_argument("--folder", required=True, help="with observation.ndjson and patient.ndjson")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--sof", help="folder of sof-js")
parser.add_argument("--sof-rows", type=int, default=2000)
parser.add_argument("--duckdb", help="a Python that has duckdb")
options = parser.parse_args()
folder = pathlib.Path(options.folder)
VIEWS = ("observation", "patient")


class Session:
    """One backend, through psql; answers come unaligned, fields split by |."""

    def __init__(self):
        command = [os.environ["PSQL"], "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "bench"]
        self.psql = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = int(self.ask("SELECT pg_backend_pid()")[0])

    def ask(self, sql):
        self.psql.stdin.write(sql + ";\n\\echo <end>\n")
        self.psql.stdin.flush()
        lines = []
        for line in self.psql.stdout:
            if line == "<end>\n":
                return lines
            lines.append(line.rstrip("\n"))
        sys.exit("the session ended: " + sql[:200])

    def seconds(self, sql):
        """How long a query runs in the executor, and how many parallel workers it had."""
        plan = json.loads("\n".join(self.ask(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) {sql}")))[0]
        workers = [int(n) for n in re.findall(r'"Workers Launched": (\d+)', json.dumps(plan))]
        return plan["Execution Time"] / 1000, max(workers, default=0)

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def peak(sql):
    """The most memory of its own that a new backend has while it runs a query, in MB."""
    session = Session()
    session.ask("SET max_parallel_workers_per_gather = 0")
    most, is_done = 0.0, threading.Event()

    def look():
        nonlocal most
        status = pathlib.Path(f"/proc/{session.pid}/status").read_text()
        most = max(most, int(re.search(r"RssAnon:\s+(\d+)", status).group(1)) / 1024)

    def watch():
        while not is_done.wait(0.005):
            look()
    watcher = threading.Thread(target=watch)
    watcher.start()
    session.ask(sql)
    look()
    is_done.set()
    watcher.join()
    session.close()
    return most


session = Session()
size = {view: sum(1 for _ in open(folder / f"{view}.ndjson", "rb")) for view in VIEWS}
definitions = {view: json.loads((here / f"{view}.json").read_text()) for view in VIEWS}
columns = {view: [column["name"] for column in definitions[view]["select"][0]["column"]] for view in VIEWS}


def counts(source, names):
    """Every column of every row, but a small answer."""
    return "SELECT count(*), " + ", ".join(f"count({name})" for name in names) + f" FROM {source}"


def loaded():
    session.ask("CREATE EXTENSION fhirlake")
    session.ask("SELECT fhir.create_lake(); CREATE SCHEMA bi; CREATE SCHEMA hand; CREATE SCHEMA stored")
    for view in VIEWS:
        rejected = session.ask(f"SELECT rejected FROM fhir.load('{folder}/{view}.ndjson')")
        assert rejected == ["0"], rejected
        text = json.dumps(definitions[view]).replace("'", "''")
        session.ask(f"SELECT fhir.create_view('{text}', 'bi')")
        session.ask(f"CREATE VIEW hand.{view} AS {(here / (view + '.sql')).read_text()}")
        session.ask(f"VACUUM (ANALYZE) lake.{view}")


def is_the_same(view):
    """Both ways have the same rows: nothing is in one and not in the other."""
    names = ", ".join(columns[view])
    for one, other in (("bi", "hand"), ("hand", "bi")):
        left = session.ask(f"SELECT count(*) FROM (SELECT {names} FROM {one}.{view} EXCEPT ALL SELECT {names} FROM {other}.{view}) d")
        assert left == ["0"], f"{left[0]} rows of {one}.{view} are not in {other}.{view}"


def timed(view, names, workers):
    """The quickest of the rounds, each way in turn."""
    session.ask(f"SET max_parallel_workers_per_gather = {workers}; SET min_parallel_table_scan_size = 0")
    best = {}
    for _ in range(options.rounds):
        for way in ("bi", "hand"):
            seconds, launched = session.seconds(counts(f"{way}.{view}", names))
            best[way] = min(best.get(way, (1e9, 0)), (seconds, launched))
    return best


def duckdb(view, threads):
    """DuckDB is told the types beforehand; it would have to read the file for them."""
    program = """
import duckdb, json, resource, sys, time
file, query, threads = sys.argv[1:]
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}; SET TimeZone = 'UTC'; SET enable_progress_bar = false")
described = connection.execute(f"DESCRIBE SELECT * FROM read_json('{file}', format = 'newline_delimited', sample_size = -1)").fetchall()
columns = ", ".join("'{}': '{}'".format(name, kind.replace("'", "''")) for name, kind, *_ in described)
query = query.replace("FROM resources", f"FROM read_json('{file}', format = 'newline_delimited', columns = {{{columns}}})")
begin = time.time()
counts = connection.execute(f"SELECT count(*), count(COLUMNS(*)) FROM ({query})").fetchone()
print(json.dumps({"seconds": time.time() - begin, "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "counts": counts}))
"""
    query = (here / f"{view}.duckdb.sql").read_text()
    runs = [json.loads(subprocess.run([options.duckdb, "-c", program, folder / f"{view}.ndjson", query, str(threads)],
                                      check=True, capture_output=True, text=True).stdout) for _ in range(options.rounds)]
    return min(runs, key=lambda run: run["seconds"])


def sof(view):
    command = ["node", here / "sof.mjs", options.sof, here / f"{view}.json", folder / f"{view}.ndjson", str(options.sof_rows)]
    run = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    # its rows beside ours
    ids = ", ".join("'" + row["id"] + "'" for row in run["first"])
    ours = {row["id"]: row for row in map(json.loads, session.ask(f"SELECT to_json(v) FROM bi.{view} v WHERE id IN ({ids})"))}
    for row in run["first"]:
        for name in columns[view]:
            mine, theirs = ours[row["id"]][name], row[name]
            # a moment is the same in either zone
            same = mine == theirs or (isinstance(theirs, str) and isinstance(mine, str) and mine[:19] == theirs[:19])
            assert same, (view, row["id"], name, mine, theirs)
    return run


def show(*cells):
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def rate(rows, seconds):
    return f"{seconds:.2f} s, {rows / seconds / 1000:,.0f}k/s" if rows / seconds >= 10_000 else f"{seconds:.2f} s, {rows / seconds:,.0f}/s"


loaded()
print(session.ask("SELECT version()")[0])
few = {"observation": ["code", "patient_id", "value"], "patient": ["gender", "birth_date", "city"]}
show("view", "rows", "columns", "parallel workers", "ours", "by hand", "by hand / ours")
show(*["---"] * 7)
for view in VIEWS:
    is_the_same(view)
    for names in (columns[view], few[view]):
        for workers in (0, 2):
            best = timed(view, names, workers)
            ours, hand = best["bi"], best["hand"]
            show(view, f"{size[view]:,}", len(names), f"{ours[1]} / {hand[1]}", rate(size[view], ours[0]), rate(size[view], hand[0]), f"{hand[0] / ours[0]:.2f}×")
print()
show("view", "rows scanned", "memory of the backend, MB: ours", "by hand")
show(*["---"] * 4)
for view in VIEWS:
    for part in (10, 1):
        limit = size[view] // part
        peaks = [peak(counts(f"(SELECT * FROM {way}.{view} LIMIT {limit}) v", columns[view])) for way in ("bi", "hand")]
        show(view, f"{limit:,}", *(f"{peak:.1f}" for peak in peaks))
print()
show("view", "peer", "rows", "time", "memory, MB")
show(*["---"] * 5)
for view in VIEWS:
    mine = list(map(int, session.ask(counts(f"bi.{view}", columns[view]))[0].split("|")))
    if options.duckdb:
        for threads in (1, 2):
            run = duckdb(view, threads)
            assert run["counts"] == mine, (view, run["counts"], mine)
            show(view, f"DuckDB over the NDJSON, {threads} threads", f"{size[view]:,}", rate(size[view], run["seconds"]), f"{run['rss'] / 1024:.0f}")
    if options.sof:
        run = sof(view)
        show(view, "sof-js over the NDJSON", f"{run['rows']:,}", rate(run["rows"], run["seconds"]), f"{run['rss'] / 1024:.0f}")
print()
show("view", "stored: to make", "to scan", "to refresh, nothing changed", "to refresh, 1 % changed", "rows out and in")
show(*["---"] * 6)
for view in VIEWS:
    session.ask("SET max_parallel_workers_per_gather = 2")
    text = json.dumps(definitions[view]).replace("'", "''")
    begin = time.time()
    session.ask(f"SELECT fhir.create_view('{text}', 'stored', materialized => true)")
    made = time.time() - begin
    session.ask("SET max_parallel_workers_per_gather = 0")
    scanned = min(session.seconds(counts(f"stored.{view}", columns[view]))[0] for _ in range(options.rounds))
    begin = time.time()
    session.ask("SELECT * FROM fhir.refresh_views('stored')")
    still = time.time() - begin
    session.ask(f"UPDATE lake.{view} SET resource = resource || '{{\"language\":\"en\"}}' WHERE id IN (SELECT id FROM lake.{view} ORDER BY id LIMIT {size[view] // 100})")
    begin = time.time()
    changed = session.ask(f"SELECT removed, inserted FROM fhir.refresh_views('stored') WHERE view = 'stored.{view}'::regclass")
    show(view, f"{made:.2f} s", f"{scanned:.2f} s", f"{still:.2f} s", f"{time.time() - begin:.2f} s", changed[0])
    session.ask(f"SELECT fhir.drop_view('stored.{view}')")
