"""What dbt wrote about its run and about the views: python catalog.py TARGET. Prints "ok …" or "FAILED: …" a check."""
import json
import pathlib
import sys

target = pathlib.Path(sys.argv[1])


def check(name, expected, found):
    print(f"ok {name}" if expected == found else f"FAILED: {name}: expected {expected!r}, found {found!r}")


for result in json.loads((target / "build.json").read_text())["results"]:
    check(f"dbt build: {result['unique_id']}", True, result["status"] in ("success", "pass") or result["message"])
sources = json.loads((target / "catalog.json").read_text())["sources"]
patient = sources["source.fhirlake_bi.bi.patient"]
check("the catalog tells what a row is", True, bool(patient["metadata"]["comment"]))
check("and what a column is", "The date of birth for the individual", patient["columns"]["birth_date"]["comment"])
check("and its type", "date", patient["columns"]["birth_date"]["type"])
