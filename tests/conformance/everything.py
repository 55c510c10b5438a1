#!/usr/bin/env python3
"""Question: does Patient/$everything give the resources that the definitions say belong to a patient, and those they point at?

Reads the sample files and the R4 package by itself: CompartmentDefinition/patient names search parameters, their expressions
name paths, and the paths are walked in the JSON. Then asks a lake of the same files for everything of every patient: as rows, as
Bundles page by page, and as a timeline. A test is one patient. Shares nothing with the extension. Standard library only.
"""
import json
import lzma
import os
import re
import shlex
import subprocess
import sys
import tarfile

LAKE = "everything"
DATA = os.environ.get("FHIRLAKE_DATA") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared/data")
PACKAGE = os.path.join(DATA, "r4/hl7.fhir.r4.core.tgz")
SMALL = os.path.join(DATA, "data/small.tgz")
HUNDRED = os.path.join(DATA, "data/synthea-100.ndjson.xz")
PSQL = shlex.split(os.environ.get("PSQL", "psql -X")) + ["-qAt", "-v", "ON_ERROR_STOP=1"]
LITERAL = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(/_history/[A-Za-z0-9.-]{1,64})?$")


def main():
    for path in (PACKAGE, SMALL, HUNDRED):
        if not os.path.exists(path):
            print("skipped: %s is not there (FHIRLAKE_DATA names the folder of the data)" % path)
            print("0 passed, 0 failed, 1 skipped")
            return 0
    resources = {}
    for resource in read_small() + read_hundred():
        resources[resource["resourceType"] + "/" + resource["id"]] = resource
    members, pointed = expected(resources, compartment_paths())
    load(resources)
    found = asked("SELECT p.id, e.type || '/' || e.id, e.of_compartment::text FROM {0}.patient p, fhir.everything_rows(p.id, lake => '{0}') e")
    lines = asked("SELECT p.id, t.type || '/' || t.id, extract(epoch FROM t.occurred)::text FROM {0}.patient p, fhir.timeline(p.id, lake => '{0}') t")
    passed = failed = total = outside = 0
    for number, patient in enumerate(sorted(r["id"] for r in resources.values() if r["resourceType"] == "Patient")):
        focus = "Patient/" + patient
        want = [(key, "true") for key in members[focus]] + [(key, "false") for key in pointed[focus]]
        have = found.get(patient, [])
        times = [float(when) for _, when in lines.get(patient, [])]
        problems = []
        if sorted(want) != sorted(have):
            problems.append("everything: missing %s, too many %s" % (sorted(set(want) - set(have))[:3], sorted(set(have) - set(want))[:3]))
            problems += ["twice"] * (len(have) != len(set(have)))
        if sorted(key for key, _ in lines.get(patient, [])) != sorted(members[focus]):
            problems.append("timeline: other resources")
        if times != sorted(times, reverse=True):
            problems.append("timeline: not in the order of time")
        if number % 10 == 0 and pages(patient, 17 + number) != have:
            problems.append("pages: not what the rows are")
        total, outside = total + len(members[focus]), outside + len(pointed[focus])
        passed, failed = passed + (not problems), failed + bool(problems)
        for problem in problems:
            print("FAILED: %s: %s" % (focus, problem))
    print("%d resources in compartments, %d pointed at from there" % (total, outside))
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed or not passed else 0


def read_small():
    with tarfile.open(SMALL) as archive:
        files = [archive.extractfile(m) for m in archive if m.name.endswith(".ndjson")]
        return [json.loads(line) for file in files for line in file if line.strip()]


def read_hundred():
    with lzma.open(HUNDRED, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


# --- what belongs to whom -----------------------------------------------------------------------------------


def compartment_paths():
    """Type to the paths, as lists of names, whose references put a resource into a patient's compartment."""
    with tarfile.open(PACKAGE) as archive:
        definitions = {}
        for member in archive:
            if re.match(r"package/(SearchParameter-|CompartmentDefinition-patient\.)", member.name):
                resource = json.load(archive.extractfile(member))
                definitions.setdefault(resource["resourceType"], []).append(resource)
    parameters = {(base, p["code"]): p for p in definitions["SearchParameter"] for base in p.get("base", []) if not p["id"].startswith("example")}
    found = {}
    for entry in definitions["CompartmentDefinition"][0]["resource"]:
        for code in entry.get("param", []):
            if (entry["code"], code) in parameters:
                found.setdefault(entry["code"], []).extend(paths(entry["code"], parameters[entry["code"], code]["expression"]))
    return found


def paths(ty, expression):
    """The paths of one type in an expression such as `A.subject | B.who.where(resolve() is Patient) | (A.item as Reference)`."""
    for part in expression.split("|"):
        part = re.sub(r"\.where\(resolve\(\) is \w+\)| as Reference|\.as\(Reference\)|[()\s]", "", part)
        names = part.split(".")
        if names[0] == ty:
            yield names[1:]


def walk(node, names):
    if isinstance(node, list):
        for item in node:
            yield from walk(item, names)
    elif not names:
        yield node
    elif isinstance(node, dict):
        for name in (names[0], names[0] + "Reference"):  # the second is a choice of types
            if name in node:
                yield from walk(node[name], names[1:])


def target(text):
    match = LITERAL.match(text) if isinstance(text, str) else None
    return match and match.group(1) + "/" + match.group(2)


def pointers(node):
    """Every relative reference in a resource: that of a Reference, and an attachment's address."""
    if isinstance(node, list):
        for item in node:
            yield from pointers(item)
    elif isinstance(node, dict):
        for name, value in node.items():
            if name == "reference" or name == "url" and ("contentType" in node or "title" in node):
                if target(value):
                    yield target(value)
            yield from pointers(value)


def expected(resources, by_type):
    """Patient to the keys of the resources of its compartment, and to those of others that these point at."""
    members = {key: {key} for key in resources if key.startswith("Patient/")}
    for key, resource in resources.items():
        for names in by_type.get(resource["resourceType"], []):
            for reference in walk(resource, names):
                home = target(reference.get("reference")) if isinstance(reference, dict) else None
                if home in members:
                    members[home].add(key)
    pointed = {focus: {p for key in keys for p in pointers(resources[key]) if p in resources} - keys for focus, keys in members.items()}
    return members, pointed


# --- the lake -----------------------------------------------------------------------------------------------


def sql(text):
    run = subprocess.run(PSQL, input=text, stdout=subprocess.PIPE, encoding="utf-8")
    if run.returncode:
        sys.exit("psql failed")
    return run.stdout


def load(resources):
    by_type = {}
    for resource in resources.values():
        by_type.setdefault(resource["resourceType"], []).append(resource)
    script = ["SET client_min_messages = warning;", "SELECT fhir.drop_lake(lake, true) FROM fhir.lakes() WHERE lake = '%s';" % LAKE,
              "SELECT fhir.create_lake('%s');" % LAKE]
    for ty, rows in by_type.items():
        script.append('COPY "%s"."%s" (resource) FROM STDIN;' % (LAKE, ty.lower()))
        script += [json.dumps(row, ensure_ascii=False).replace("\\", "\\\\") for row in rows]
        script.append("\\.")
    script.append("ANALYZE %s.resource;" % LAKE)
    sql("\n".join(script) + "\n")


def asked(query):
    """The rows of a query by their first column, in their order."""
    found = {}
    for line in sql(query.format(LAKE) + ";").splitlines():
        first, *rest = line.split("|")
        found.setdefault(first, []).append(tuple(rest))
    return found


def pages(patient, count):
    """What the pages of fhir.everything have, one after the other."""
    have, cursor = [], None
    while True:
        argument = "NULL" if cursor is None else "'" + cursor.replace("'", "''") + "'"
        bundle = json.loads(sql("SELECT fhir.everything('%s', count => %d, cursor => %s, lake => '%s');" % (patient, count, argument, LAKE)))
        entries = bundle.get("entry", [])
        assert len(entries) <= count, "a page of %d" % len(entries)
        have += [(e["resource"]["resourceType"] + "/" + e["resource"]["id"], "true" if e["search"]["mode"] == "match" else "false") for e in entries]
        cursor = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
        if cursor is None:
            return have


if __name__ == "__main__":
    sys.exit(main())
