"""Runs the official tests of SQL on FHIR v2 against a lake, each twice: as JSON, which must be the expected rows to the letter, and as a
view with typed columns, where expected values are read as the type of their column. Failures must be listed with their reason."""
import datetime
import decimal
import json
import os
import pathlib
import subprocess
import sys

PREPARE = """
\\set ON_ERROR_STOP on
\\pset format unaligned
\\pset tuples_only on
SET client_min_messages = error;
SET timezone = 'UTC';
BEGIN;
SELECT fhir.create_lake('sof');
SET LOCAL fhir.lake = 'sof';
SET LOCAL fhir.validation = 'off';
CREATE FUNCTION pg_temp.attempt(view jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    as_json json;
    as_view json;
    columns json;
BEGIN
    as_json := (SELECT coalesce(json_agg(row_of), '[]') FROM fhir.run_view(view) row_of);
    columns := (SELECT json_agg(json_build_array(c.name, c.type) ORDER BY c.position) FROM fhir.view_columns(view) c);
    EXECUTE 'DROP VIEW IF EXISTS pg_temp.tested';
    PERFORM fhir.create_view(view, schema => 'pg_temp', name => 'tested');
    EXECUTE 'SELECT coalesce(json_agg(shown.*), ''[]'') FROM pg_temp.tested shown' INTO as_view;
    RETURN replace(json_build_object('json', as_json, 'view', as_view, 'columns', columns)::text, E'\n', '');
EXCEPTION WHEN OTHERS THEN
    RETURN json_build_object('error', SQLERRM, 'state', SQLSTATE);
END $$;
"""


def literal(value):
    return "E'" + json.dumps(value).replace("\\", "\\\\").replace("'", "\\'") + "'::jsonb"


def outcomes(suite):
    """What the lake says to each test of a file."""
    lines = [PREPARE]
    for resource in suite["resources"]:
        lines.append(f"INSERT INTO sof.{resource['resourceType']} (resource) VALUES ({literal(resource)});")
    lines.append("\\echo begin")
    lines += [f"SELECT pg_temp.attempt({literal(test['view'])});" for test in suite["tests"]]
    lines.append("ROLLBACK;")
    run = subprocess.run([*os.environ["PSQL"].split(), "-qX"], input="\n".join(lines), capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr[:2000])
    told = run.stdout.split("begin\n", 1)[1].splitlines()
    return [json.loads(line, parse_float=decimal.Decimal) for line in told]


def typed(value, kind):
    """A value of the expected rows, or of a view, as its column's type has it."""
    if value is None:
        return None
    if kind.endswith("[]"):
        return [typed(one, kind[:-2]) for one in value]
    if kind == "timestamptz":
        moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)
    if kind == "time":
        return datetime.time.fromisoformat(value)
    if kind == "numeric":
        return decimal.Decimal(value)
    return value


def in_any_order(rows):
    return sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))


def problem(test, found):
    """Why a test fails; None where it passes."""
    if test.get("expectError"):
        return None if "error" in found else "an error is expected"
    if "error" in found:
        return f"{found['state']} {found['error']}"
    names = [name for name, _ in found["columns"]]
    if names != test.get("expectColumns", names):
        return f"columns {names}"
    if "expectCount" in test and len(found["json"]) != test["expectCount"]:
        return f"{len(found['json'])} rows"
    if "expect" not in test:
        return None
    expected = in_any_order(test["expect"])
    if in_any_order(found["json"]) != expected:
        return f"rows {json.dumps(found['json'], default=str)}"
    kinds = dict(found["columns"])
    as_typed = lambda rows: in_any_order([{name: typed(value, kinds[name]) for name, value in row.items()} for row in rows])
    if as_typed(found["view"]) != as_typed(test["expect"]):
        return f"rows of the view {json.dumps(found['view'], default=str)}"
    return None


def main(folder, listed):
    known = dict(line.rstrip("\n").split("\t", 1) for line in open(listed) if line.strip() and not line.startswith("#"))
    passed = agreed = unexpected = 0
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        suite = json.loads(path.read_text(), parse_float=decimal.Decimal)
        raw = json.loads(path.read_text())
        for test, found in zip(suite["tests"], outcomes(raw), strict=True):
            name = f"{path.stem}: {test['title']}"
            why = problem(test, found)
            passed += why is None
            if (why is None) == (name not in known):
                agreed += 1
            else:
                unexpected += 1
                print(f"FAILED {name}: {why or 'passes, but is listed as a failure'}")
            if why and name in known:
                print(f"as listed: {name}: {known[name]}")
    total = agreed + unexpected
    print(f"SQL on FHIR: {passed} of {total} tests pass")
    print(f"{agreed} passed, {unexpected} failed, 0 skipped")
    return 1 if unexpected else 0


sys.exit(main(*sys.argv[1:]))
