"""Notes per second in the database, and those of a peer, in turn; called by run."""
import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

PSQL = [os.environ["PSQL"], "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", "bench"]
READ = "SELECT count(*) FROM note n, LATERAL fhir.detect_entities(n.text) e"
ENRICH = "SELECT count(fhir.enrich(n.resource)) FROM note n"
PEER = Path(__file__).with_name("peer.py")


def psql(*commands):
    return subprocess.run(PSQL + [x for c in commands for x in ("-c", c)], check=True, capture_output=True, text=True).stdout


def seconds(query, workers):
    """Time and CPU time of a query in a session that has read a note already."""
    out = psql(
        "SELECT count(*) FROM fhir.detect_entities('fever')",
        f"SET max_parallel_workers_per_gather = {workers}",
        "SET parallel_setup_cost = 0", "SET parallel_tuple_cost = 0", "SET min_parallel_table_scan_size = 0",
        "EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) " + query,
    )
    launched = re.search(r"Workers Launched: (\d+)", out)
    return float(re.search(r"Execution Time: ([\d.]+) ms", out)[1]) / 1000, int(launched[1]) if launched else 0


def private_memory():
    """Memory of a backend that no other can share, in kB, before and behind its first note, and how long that took. Pages of files and of
    shared memory are not in it, though the kernel calls them private as long as one process alone has touched them."""
    session = subprocess.Popen(PSQL, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(query):
        session.stdin.write(query + ";\n\\echo done\n")
        session.stdin.flush()
        lines = []
        while (line := session.stdout.readline().strip()) != "done":
            lines.append(line)
        return lines

    pid = ask("SELECT pg_backend_pid(), fhir.library_version()")[0].split("|")[0]

    def anonymous():
        text = Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"^RssAnon:\s+(\d+) kB", text, re.M)[1])

    note = "SELECT count(*) FROM (SELECT text FROM note ORDER BY id LIMIT 1) n, LATERAL fhir.detect_entities(n.text) e"
    before = anonymous()
    started = time.monotonic()
    ask(note)
    first = time.monotonic() - started
    again = time.monotonic()
    ask(note)
    second = time.monotonic() - again
    after = anonymous()
    session.stdin.close()
    session.wait()
    return before, after, first, second


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--notes", required=True)
    args.add_argument("--count", type=int, default=6000)
    args.add_argument("--rounds", type=int, default=3)
    args.add_argument("--peer")
    args = args.parse_args()

    texts = [json.loads(line)["text"] for line in open(args.notes)]
    psql("CREATE EXTENSION fhirlake", "CREATE TABLE note (id bigint, text text, resource jsonb)")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(texts, file)
        file.flush()
        script = (
            f"\\set content `cat {file.name}`\n"
            "INSERT INTO note SELECT g, t.text, jsonb_build_object('resourceType', 'DocumentReference', 'status', 'current', 'content',"
            " jsonb_build_array(jsonb_build_object('attachment', jsonb_build_object('contentType', 'text/plain', 'data',"
            " translate(encode(convert_to(t.text, 'UTF8'), 'base64'), E'\\n', '')))))"
            " FROM jsonb_array_elements_text(:'content'::jsonb) WITH ORDINALITY t (text, n),"
            f" generate_series(t.n, {args.count}, {len(texts)}) g;\nVACUUM ANALYZE note;\n"
        )
        subprocess.run(PSQL, input=script, check=True, text=True)
    size = int(psql("SELECT sum(octet_length(text)) FROM note"))
    notes = int(psql("SELECT count(*) FROM note"))
    print(f"{notes} notes, {size / 1e6:.1f} MB, {size / notes:.0f} bytes each")
    started = time.monotonic()
    print("lexicon", psql("SELECT fhir.lexicon_version()").strip(), f"compiled and written once in {time.monotonic() - started:.1f} s")

    before, after, first, second = private_memory()
    print(f"first note of a session {first * 1000:.1f} ms, second {second * 1000:.1f} ms; private memory {(after - before) / 1024:.1f} MB more ({after / 1024:.1f} in all)")

    best = {}
    for _ in range(args.rounds):
        for name, query in (("detect_entities", READ), ("enrich", ENRICH)):
            for workers in (0, 1):
                took, launched = seconds(query, workers)
                if launched == workers:
                    best[name, workers] = min(took, best.get((name, workers), took))
    for (name, workers), took in best.items():
        print(f"{name}, {workers + 1} process(es): {notes / took:.0f} notes/s, {size / took / 1e6:.1f} MB/s")

    if args.peer:
        terms = psql(
            "CREATE TEMPORARY TABLE t AS SELECT DISTINCT lower(term) AS term, category FROM fhir.read_lexicon('shipped', '', '', 'MEDICAL_CONDITION', 'DX_NAME')"
            " WHERE term IS NOT NULL AND term !~ '[\\t\\n]'",
            "SELECT term || E'\\t' || category FROM t",
        )
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "terms.tsv").write_text(terms)
            out = subprocess.run([args.peer, str(PEER), str(Path(folder) / "terms.tsv"), args.notes], check=True, capture_output=True, text=True).stdout
        print(out, end="")
        peer = float(re.search(r"([\d.]+) notes/s", out)[1])
        print(f"detect_entities / medspaCy: {notes / best['detect_entities', 0] / peer:.0f} times, one process each")


main()
