"""Prepared statements with parameters from psycopg 3. The argument is a file of searches and the ids they must find."""

import json
import sys

import psycopg

ROWS = "SELECT id FROM lake.observation WHERE search OPERATOR(fhir.|=) %s ORDER BY id"
BUNDLE = "SELECT fhir.search(%s)"


def check(what, expected, found):
    print("ok" if expected == found else f"FAILED: {what}: {len(expected)} expected, {len(found)} found")


def main(file):
    cases = [line.rstrip("\n").split("\t") for line in open(file)]
    with psycopg.connect(autocommit=True) as connection:
        connection.prepare_threshold = 0
        for number, (search, ids) in enumerate(cases, 1):
            expected = ids.split(",") if ids else []
            check(f"execution {number}, {search}", expected, [row[0] for row in connection.execute(ROWS, [search])])
            page = connection.execute(BUNDLE, [f"Observation?{search}&_sort=_id&_count=10000"]).fetchone()[0]
            check(f"fhir.search, execution {number}, {search}", expected, [e["resource"]["id"] for e in page.get("entry", [])])
        told = connection.execute(
            "SELECT name, generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%|=%%'", prepare=False).fetchone()
        name, generic, custom = told
        plan = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE \"{name}\"('code=one')", prepare=False).fetchone()[0]
        plan = plan if isinstance(plan, list) else json.loads(plan)
        print(f"{psycopg.__version__}: {custom} custom and {generic} generic plans; then planning {plan[0]['Planning Time']:.2f} ms, execution {plan[0]['Execution Time']:.2f} ms")


main(sys.argv[1])
