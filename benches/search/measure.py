"""Runs each shape on ours and the peers, in turn, and prints what it took as Markdown. Called by `run`."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import shapes

HERE = Path(__file__).parent
ROUNDS = 9
PATIENCE = 20  # seconds for one statement
SYSTEMS = ["ours", "a", "b", "c"]


class Refused(Exception):
    pass


class Server:
    """One psql, so that all is measured in one session, warm."""

    def __init__(self):
        command = os.environ["PSQL"].split() + ["-XqAt"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def ask(self, sql):
        """The answer as text."""
        self.process.stdin.write(sql.rstrip().rstrip(";") + "\n;\n\\echo == end\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line == "== end\n":
                break
            lines.append(line)
        answer = "".join(lines)
        if error := re.search(r"^ERROR:.*", answer, re.M):
            raise Refused(error.group(0))
        return answer.strip("\n")

    def explain(self, sql):
        """(milliseconds of planning and execution, of planning, shared buffers, plan) of one run."""
        found = json.loads(self.ask("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + sql))[0]
        plan = found["Plan"]
        return (found["Planning Time"] + found["Execution Time"], found["Planning Time"],
                plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], plan)


def answer(server, sql):
    """What a statement finds: how many, and which; a count finds its number."""
    if re.match(r"SELECT (fhir\.count\(|count\(\*\) FROM)", sql):
        return int(server.ask(sql)), ""
    return tuple(server.ask(f"SELECT count(*) || ' ' || coalesce(md5(string_agg(id, ',' ORDER BY id)), '') FROM ({sql}) s").split(" "))


def our_answer(server, shape, sql):
    if not shape.whole:
        return answer(server, sql)
    search = shape.search
    if shape.whole == "more":
        search = search.replace(f"_count={shapes.PAGE}", f"_count={shapes.LIMIT}")
    return answer(server, "SELECT e -> 'resource' ->> 'id' AS id FROM "
                          f"jsonb_array_elements(coalesce(fhir.search({shapes.literal(search)}) -> 'entry', '[]')) e")


def our_statement(server, shape):
    """The statement that our side runs."""
    search = shape.ours
    if shape.whole:
        shape.search = search
        sql = f"SELECT fhir.search({shapes.literal(search)})"
        server.ask(sql)
        return sql
    if isinstance(search, tuple):  # a later page: the link to it, after two long ones
        first, number = search
        search = f"{first}&_count={(number - 1) * shapes.PAGE // 2}"
        for _ in range(2):
            link = server.ask(f"SELECT l ->> 'url' FROM jsonb_array_elements(fhir.search({shapes.literal(search)}) -> 'link') l WHERE l ->> 'relation' = 'next'")
            search = link
        search = re.sub(r"_count=\d+", f"_count={shapes.PAGE}", search)
    shape.search = search
    if "_summary=count" in search:
        return f"SELECT fhir.search_count({shapes.literal(search.replace('&_summary=count', ''))})"
    return server.ask(f"SELECT fhir.search_sql({shapes.literal(search)})")


def estimate(server, search):
    """(estimated, true) number of rows of a search."""
    sql = server.ask(f"SELECT fhir.search_rows_sql({shapes.literal(search)}, 'lake')")
    plan = json.loads(server.ask("EXPLAIN (FORMAT JSON) " + sql))[0]["Plan"]
    return plan["Plan Rows"], int(server.ask(f"SELECT count(*) FROM ({sql}) s"))


def measure(server, shape):
    result = {"name": shape.name, "goal": shape.goal, "whole": bool(shape.whole), "problems": []}
    statements = {}
    try:
        statements["ours"] = [our_statement(server, shape)]
    except Refused as refused:
        result["problems"].append(f"ours: {refused}")
    for peer in "abc":
        given = shape.peers[peer]
        statements[peer] = given if isinstance(given, list) else [given]
    runs, answers = {}, {}
    for system, choices in list(statements.items()):
        tried = []
        for sql in choices:
            try:
                server.explain(sql)
                tried.append((server.explain(sql)[0], sql))
            except Refused as refused:
                reason = str(refused)
        if tried:
            best = min(tried)
            statements[system], runs[system] = best[1], []
            answers[system] = our_answer(server, shape, best[1]) if system == "ours" else answer(server, best[1])
            runs[system].append(best[0])
        else:
            del statements[system]
            result["problems"].append(f"{system}: {reason}")
            result[system] = {"ms": PATIENCE * 1000.0, "planning": None, "buffers": None, "slow": True}
    if len(set(answers.values())) > 1:
        result["problems"].append("answers differ: " + ", ".join(f"{s} {a[0]}" for s, a in answers.items()))
    first = {system: times.pop() for system, times in runs.items()}
    rounds = ROUNDS if max(first.values(), default=0) < 1000 else 3
    for _ in range(rounds):
        for system, sql in statements.items():
            runs[system].append(server.explain(sql))
    for system, times in runs.items():
        result[system] = {"ms": statistics.median(t[0] for t in times), "least": min(t[0] for t in times),
                          "planning": statistics.median(t[1] for t in times), "buffers": times[-1][2], "sql": statements[system], "plan": times[-1][3]}
    result["found"] = answers.get("ours", answers.get("b", ("?",)))[0]
    if shape.parameters and "ours" in statements:
        result["parameters"] = shape.parameters
        search = re.sub(r"&_count=\d+", "", shape.search)
        result["estimate"] = estimate(server, search)
    return result


def sizes(server):
    """Bytes of the indexes of each, without those that all have (primary key, last_updated)."""
    rows = server.ask("""
        SELECT CASE WHEN schemaname = 'lake' THEN CASE WHEN indexrelname LIKE '%search_idx' THEN 'ours: GIN' ELSE 'ours: btrees' END
            WHEN indexrelname ~ '(_pkey|_last_updated_id_idx)$' AND relname NOT LIKE 'c\\_%' THEN 'all peers: primary key, last_updated'
            WHEN relname LIKE 'c\\_%' THEN 'c: indexes' WHEN indexrelname LIKE 'a\\_%' THEN 'a: GIN' ELSE 'b: indexes' END,
          sum(pg_relation_size(indexrelid))
        FROM pg_stat_user_indexes WHERE schemaname IN ('lake', 'bench') GROUP BY 1
        UNION ALL SELECT 'c: tables', sum(pg_relation_size(oid)) FROM pg_class WHERE relname LIKE 'c\\_%' AND relkind = 'r' AND relnamespace = 'bench'::regnamespace
        UNION ALL SELECT 'ours: tables', sum(pg_table_size(oid)) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'lake'::regnamespace
        UNION ALL SELECT 'all peers: tables', sum(pg_table_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname NOT LIKE 'c\\_%' AND relnamespace = 'bench'::regnamespace
        ORDER BY 1""")
    return dict((line.split("|")[0], int(line.split("|")[1])) for line in rows.splitlines())


def overhead(server, searches):
    """Milliseconds of fhir.search and of its statement alone, medians."""
    server.ask("""
        CREATE OR REPLACE FUNCTION bench.overhead(search text, rounds integer, OUT whole float8, OUT sql float8) LANGUAGE plpgsql AS $$
        DECLARE began timestamptz; r record; wholes float8[]; sqls float8[]; statement text := fhir.search_sql(search);
        BEGIN
          FOR i IN 0 .. rounds LOOP
            began := clock_timestamp(); PERFORM fhir.search(search);
            wholes := wholes || extract(epoch FROM clock_timestamp() - began)::float8 * 1000;
            began := clock_timestamp(); FOR r IN EXECUTE statement LOOP END LOOP;
            sqls := sqls || extract(epoch FROM clock_timestamp() - began)::float8 * 1000;
          END LOOP;
          SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO whole FROM unnest(wholes[2:]) u;
          SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY u) INTO sql FROM unnest(sqls[2:]) u;
        END $$""")
    found = {}
    for name, search in searches:
        whole, sql = server.ask(f"SELECT whole, sql FROM bench.overhead({shapes.literal(search)}, 15)").split("|")
        found[name] = (float(whole), float(sql))
    return found


def show(results, out):
    say = lambda *cells: print("| " + " | ".join(cells) + " |", file=out)
    milli = lambda r: "–" if r is None else (f"> {r['ms']:.0f}" if r.get("slow") else f"{r['ms']:.2f}")
    block = lambda r: "–" if r is None or r["buffers"] is None else f"{r['buffers']:,}"
    say("shape", "found", "ours ms", "a ms", "b ms", "c ms", "to best peer", "buffers ours", "a", "b", "c", "planning ours", "estimate : truth")
    say("---", *["---:"] * 12)
    for r in results:
        peers = [r[s]["ms"] for s in "abc" if s in r]
        ratio = min(peers) / r["ours"]["ms"] if "ours" in r and peers else None
        estimated = r.get("estimate")
        say(r["name"] + (" *" if r["goal"] else "") + (" †" if r["whole"] else ""), str(r.get("found", "")), *(milli(r.get(s)) for s in SYSTEMS),
            "–" if ratio is None else f"{ratio:.2f}×", *(block(r.get(s)) for s in SYSTEMS),
            "–" if "ours" not in r or r["whole"] else f"{r['ours']['planning']:.2f}",
            "" if estimated is None else f"{estimated[0]:,} : {estimated[1]:,}")


def summary(results, out):
    ratios = {r["name"]: min(r[s]["ms"] for s in "abc" if s in r) / r["ours"]["ms"] for r in results if "ours" in r}
    if not ratios:
        return
    print(f"\n- median of best peer / ours: {statistics.median(ratios.values()):.2f}× over {len(ratios)} shapes", file=out)
    slower = [f"{name} ({ratio:.2f}×)" for name, ratio in sorted(ratios.items(), key=lambda i: i[1]) if ratio < 1 / 1.1]
    print(f"- slower than the best peer by more than 10 %: {len(slower)}: {', '.join(slower) or 'none'}", file=out)
    late = [f"{r['name']} ({r['ours']['ms']:.1f} ms)" for r in results if r["goal"] and "ours" in r and r["ours"]["ms"] >= 10]
    print(f"- of the {sum(r['goal'] for r in results)} shapes marked *, 10 ms or more: {', '.join(late) or 'none'}", file=out)
    missing = [r["name"] for r in results if "ours" not in r]
    print(f"- not answered by ours: {', '.join(missing) or 'none'}", file=out)
    planning = [r["ours"]["planning"] for r in results if "ours" in r and not r["whole"]]
    print(f"- planning of ours: median {statistics.median(planning):.2f} ms, most {max(planning):.2f} ms", file=out)
    for number, factor in ((1, 2), (2, 4)):
        judged = [(r["name"], max(max(r["estimate"][0], 1) / max(r["estimate"][1], 1), max(r["estimate"][1], 1) / max(r["estimate"][0], 1)))
                  for r in results if r.get("parameters") == number]
        off = [f"{name} ({by:.1f}×)" for name, by in judged if by > factor]
        print(f"- estimate within {factor}× of the truth, {number} parameter{'s' * (number > 1)}: {len(judged) - len(off)} of {len(judged)}"
              + (f"; not {', '.join(off)}" if off else ""), file=out)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--only", default="")
    arguments.add_argument("--out")
    arguments = arguments.parse_args()
    server = Server()
    server.ask(f"SET statement_timeout = '{PATIENCE}s'; SET client_min_messages = error; LOAD 'fhirlake'")
    for relation in ("bench", "lake"):
        server.ask(f"SET statement_timeout = 0; SELECT sum(pg_prewarm(c.oid)) FROM pg_class c WHERE relkind IN ('r', 'i') AND relnamespace = '{relation}'::regnamespace")
    values = json.loads(server.ask((HERE / "values.sql").read_text()))
    server.ask(f"SET statement_timeout = '{PATIENCE}s'")
    server.ask(shapes.value_set(values))
    chosen = [shape for shape in shapes.shapes(values) if re.search(arguments.only, shape.name)]
    results = []
    for shape in chosen:
        result = measure(server, shape)
        results.append(result)
        ms = "  ".join(f"{s} {result[s]['ms']:.2f}" for s in SYSTEMS if s in result)
        print(f"{result['name']}: {ms}" + "".join(f"\n   {problem}" for problem in result["problems"]), file=sys.stderr, flush=True)
    settings = ("server_version", "shared_buffers", "work_mem", "random_page_cost", "effective_cache_size", "max_parallel_workers_per_gather", "jit")
    total = server.ask("SELECT sum(resources), count(*) FILTER (WHERE resources > 0) FROM fhir.stats('lake')").split("|")
    print(f"{int(total[0]):,} resources of {total[1]} types; " + ", ".join(f"{s} {server.ask('SHOW ' + s)}" for s in settings) + "\n")
    show(results, sys.stdout)
    summary(results, sys.stdout)
    problems = [f"- **{r['name']}**: {p}" for r in results for p in r["problems"]]
    if problems:
        print("\nProblems\n\n" + "\n".join(problems))
    planning = [json.loads(server.ask("EXPLAIN (SUMMARY, FORMAT JSON) SELECT id FROM lake.resource WHERE search OPERATOR(fhir.|=) '_tag=x'"))[0]["Planning Time"]
                for _ in range(5)]
    print(f"\nplanning of a search over all 146 partitions: {min(planning):.2f} ms")
    size, took = sizes(server), server.ask("SELECT what || '|' || round(seconds, 1) FROM bench.took")
    print("\n| bytes | MB |\n| --- | ---: |")
    for what, number in size.items():
        print(f"| {what} | {number / 1e6:,.1f} |")
    print(f"\nour GIN is {100 * size['ours: GIN'] / size['a: GIN']:.0f} % of a's")
    print("\n| step | seconds |\n| --- | ---: |")
    for line in took.splitlines():
        print("| " + line.replace("|", " | ") + " |")
    answered = [(r["name"], shape.search) for r, shape in zip(results, chosen) if "ours" in r and not r["whole"] and "_summary=count" not in shape.search]
    if answered:
        server.ask("SET statement_timeout = 0")
        print("\nfhir.search end to end beside its statement\n\n| shape | fhir.search ms | statement ms | adds ms |\n| --- | ---: | ---: | ---: |")
        for name, (whole, sql) in overhead(server, answered).items():
            print(f"| {name} | {whole:.2f} | {sql:.2f} | {whole - sql:.2f} |")
    if arguments.out:
        Path(arguments.out).write_text(json.dumps({"resources": int(total[0]), "shapes": results}, indent=1))
    if any("differ" in p for r in results for p in r["problems"]):
        sys.exit("answers differ")


if __name__ == "__main__":
    main()
