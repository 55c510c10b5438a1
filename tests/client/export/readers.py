"""Reads what an export wrote as analysts do: argv is the folder. Prints a line for each check, "ok" or "FAILED: …"."""
import datetime, decimal, gzip, json, sys, uuid

import duckdb
import pandas
import pyarrow.parquet

folder = sys.argv[1]


def check(name, expected, found):
    print(f"ok {name}" if expected == found else f"FAILED: {name}: expected {expected!r}, found {found!r}")


# The resources, by both readers.
rows = duckdb.sql(f"SELECT id, version, compartment, resource->>'$.name[0].family' FROM '{folder}/parquet/Patient.parquet' ORDER BY id").fetchall()
check("duckdb reads resources and looks into them", [("p1", 2, "Patient/p1", 'O\'Brien "\\ é\t'), ("p2", 1, "Patient/p2", None)], rows)
frame = pandas.read_parquet(f"{folder}/parquet/Patient.parquet").set_index("id")
check("pandas reads resources", "O'Brien \"\\ é\t", json.loads(frame.loc["p1", "resource"])["name"][0]["family"])
check("pandas reads moments in UTC", "UTC", str(frame["last_updated"].dt.tz))
count = duckdb.sql(f"SELECT count(*), count(DISTINCT id), sum(length(resource)) > 50000000 FROM '{folder}/parquet/Basic.parquet'").fetchall()[0]
check("duckdb reads all groups of a large table", (2000, 2000, True), count)

# Every type of a query.
schema = {field.name: str(field.type) for field in pyarrow.parquet.read_schema(f"{folder}/query.parquet")}
expected = {
    "b": "bool", "s": "int16", "i": "int32", "l": "int64", "f": "float", "d": "double", "n": "decimal128(10, 2)",
    "big": "decimal128(38, 5)", "free": "string", "day": "date32[day]", "moment": "timestamp[us, tz=UTC]", "plain": "timestamp[us]",
    "t": "time64[us]", "x": "binary", "txt": "string", "never": "timestamp[us, tz=UTC]", "nothing": "int32", "words": "list<element: string>",
}
check("pyarrow sees the types", expected, {name: found for name, found in schema.items() if name in expected})
row = duckdb.sql(f"SELECT * EXCLUDE (moment, never) FROM '{folder}/query.parquet' ORDER BY i LIMIT 1").fetchall()[0]
check("duckdb reads every type", (
    False, 1, 1, 1 << 40, 0.5, 0.25, decimal.Decimal("-12.34"), decimal.Decimal("12345678901234567890.12345"), "0.1428571428571429",
    datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 1, 12, 30), datetime.time(12, 34, 56),
    uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"), b"\x00\xff", "é1", '{"a":1.10}', None, ["a", None, "ü"]), row)
moment = pandas.read_parquet(f"{folder}/query.parquet", columns=["i", "moment", "never"]).sort_values("i").iloc[0]
check("pandas reads a moment to the microsecond", pandas.Timestamp("2020-01-01 00:00:00.123456", tz="UTC"), moment["moment"])
check("infinity is nothing", True, pandas.isna(moment["never"]))
total = duckdb.sql(f"SELECT count(*), sum(i), count(*) FILTER (WHERE b) FROM '{folder}/query.parquet'").fetchall()[0]
check("duckdb reads all rows", (200000, 20000100000, 100000), total)
check("duckdb reads a file without rows", 0, duckdb.sql(f"SELECT count(*) FROM '{folder}/empty.parquet'").fetchall()[0][0])

# Lines, packed.
lines = [json.loads(line) for line in gzip.open(f"{folder}/gzip/Basic.ndjson.gz", "rt", encoding="utf-8")]
check("gzip reads all pieces", 2000, len({line["id"] for line in lines}))
check("duckdb reads packed lines", (2000,), duckdb.sql(f"SELECT count(*) FROM read_ndjson_objects('{folder}/gzip/Basic.ndjson.gz')").fetchall()[0])
check("duckdb reads lines of zstd", (2000,), duckdb.sql(f"SELECT count(*) FROM read_ndjson_objects('{folder}/zstd/Basic.ndjson.zst', compression='zstd')").fetchall()[0])
