"""A flat view as a Parquet file, read by DuckDB: python duck.py FILE. Prints "ok …" or "FAILED: …" a check."""
import os
import sys

import duckdb
import psycopg

FILE = sys.argv[1]


def check(name, expected, found):
    print(f"ok {name}" if expected == found else f"FAILED: {name}: expected {expected!r}, found {found!r}")


base = psycopg.connect(host=os.environ["PGHOST"], port=os.environ["PGPORT"], user=os.environ["BI_ROLE"], dbname=os.environ["PGDATABASE"])
duck = duckdb.connect()
duck.execute("SET TimeZone = 'UTC'")
kinds = {name: str(kind) for name, kind, *_ in duck.execute(f"DESCRIBE SELECT * FROM '{FILE}'").fetchall()}
expected = {"id": "VARCHAR", "code": "VARCHAR", "effective": "TIMESTAMP WITH TIME ZONE", "value_boolean": "BOOLEAN", "value_integer": "INTEGER", "last_updated": "TIMESTAMP WITH TIME ZONE"}
check("types", expected, {name: kinds[name] for name in expected})
columns = [name for name, in base.execute("SELECT attname FROM pg_attribute WHERE attrelid = 'bi.observation'::regclass AND attnum > 0 ORDER BY attnum")]
check("the columns of the view", columns, list(kinds))
query = """
    SELECT code, count(*), min(effective), max(effective), round(avg(CAST(value_quantity AS double precision)) * 1000)
    FROM {} WHERE value_quantity IS NOT NULL AND effective >= '2000-01-01' GROUP BY code ORDER BY code"""
check("a group by has the same rows", [tuple(row) for row in base.execute(query.format("bi.observation"))], duck.execute(query.format(f"'{FILE}'")).fetchall())
check("as many rows", base.execute("SELECT count(*), count(DISTINCT patient_id) FROM bi.observation").fetchone(), duck.execute(f"SELECT count(*), count(DISTINCT patient_id) FROM '{FILE}'").fetchone())
