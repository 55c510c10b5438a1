"""A patient of the sample as Synthea sends one: synthea.py BASE SAMPLE

One transaction, with references by urn:uuid, and practitioners and organizations by condition."""

import collections
import json
import pathlib
import sys
import uuid

from checks import Plain, check

SHARED = ("Organization", "Practitioner", "Location")


def references(node):
    """Every {"reference": text} below a node."""
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def address(resource):
    return f"{resource['resourceType']}/{resource['id']}"


def record(sample):
    """The patient with the fewest resources, and all that these point at."""
    every = {}
    for file in sorted(pathlib.Path(sample).glob("*.ndjson")):
        with open(file, encoding="utf-8") as lines:
            every.update((address(resource), resource) for resource in map(json.loads, lines))
    of = collections.defaultdict(set)
    for name, resource in every.items():
        for reference in references(resource):
            if reference["reference"].startswith("Patient/"):
                of[reference["reference"]].add(name)
    patient = min(sorted(of), key=lambda name: len(of[name]))
    wanted, todo = {}, [patient, *sorted(of[patient])]
    while todo:
        name = todo.pop(0)
        if name not in wanted and name in every:
            wanted[name] = every[name]
            todo += [reference["reference"] for reference in references(every[name])]
    return patient, wanted


def condition(resource):
    identifier = next((one for one in resource.get("identifier", []) if "system" in one), None)
    return f"identifier={identifier['system']}|{identifier['value']}" if identifier and resource["resourceType"] in SHARED else None


def transaction(resources):
    urls = {name: f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}" for name in resources}
    entries = []
    for name, resource in resources.items():
        copy = json.loads(json.dumps(resource))
        for reference in references(copy):
            target = resources.get(reference["reference"])
            if target is not None:
                by = condition(target) if target["resourceType"] == "Practitioner" else None
                reference["reference"] = f"{target['resourceType']}?{by}" if by else urls[reference["reference"]]
        kind = resource["resourceType"]
        request = {"method": "POST", "url": kind, **({"ifNoneExist": condition(resource)} if condition(resource) else {})}
        entries.append({"fullUrl": urls[name], "resource": copy, "request": request})
    # What points at a resource may stand before it.
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries[::-1]}, list(resources)[::-1]


def same(resource, other):
    def bare(one):
        return {
            **one,
            "id": None,
            "meta": {key: value for key, value in one.get("meta", {}).items() if key not in ("versionId", "lastUpdated")},
        }

    return bare(resource) == bare(other)


def send(ask, bundle, names, resources):
    answer = ask("POST", "", bundle)
    if not check(f"a transaction of {len(names)} resources", 200, answer.status):
        print(f"  {answer.diagnostics[:600]}")
        sys.exit(0)
    check("as many answers", len(names), len(answer.entries))
    places = [entry["response"]["location"].removeprefix(ask.base + "/").split("/_history")[0] for entry in answer.entries]
    check("each of its type", [name.split("/")[0] for name in names], [place.split("/")[0] for place in places])
    return [entry["response"]["status"][:3] for entry in answer.entries], dict(zip(names, places))


def main(base, sample):
    ask = Plain(base)
    patient, resources = record(sample)
    bundle, names = transaction(resources)
    statuses, places = send(ask, bundle, names, resources)
    check("all are created", {"201"}, set(statuses))
    check("by ids of the server's own", [], [name for name in names if places[name] == name])
    stored = {name: ask("GET", place) for name, place in places.items()}
    check("all can be read", [], [name for name, answer in stored.items() if answer.status != 200])
    changed = []
    for name, answer in stored.items():
        wanted = json.loads(json.dumps(resources[name]))
        for reference in references(wanted):
            reference["reference"] = places.get(reference["reference"], reference["reference"])
        if not same(wanted, answer.body):
            changed.append((wanted, answer.body))
    check("what is stored is what was sent, with its references", [], changed[:1])
    targets = {reference["reference"] for answer in stored.values() for reference in references(answer.body)}
    local = {target for target in targets if not target.startswith("#")}
    check("all references resolve", [], [target for target in sorted(local) if ask("GET", target).status != 200])
    check("and there are some", True, len(local) > 20)

    everything = list(ask.pages(f"{places[patient]}/$everything?_count=100"))
    found = [address(resource) for page in everything for resource in page.resources]
    check("$everything, page by page: each once", len(set(found)), len(found))
    own = {
        places[name]
        for name, resource in resources.items()
        if any(r["reference"] == patient for r in references(resource)) and resource["resourceType"] not in SHARED
    } | {places[patient]}
    check("$everything has the patient's record", [], sorted(own - set(found)))
    whole = ask("GET", f"{places[patient]}/$everything")
    check(
        "$everything at once",
        set(found),
        {
            address(resource)
            for page in [whole, *(ask.pages(whole.link("next")) if whole.link("next") else [])]
            for resource in page.resources
        },
    )
    only = [
        resource["resourceType"]
        for page in ask.pages(f"{places[patient]}/$everything?_type=Condition,Encounter&_count=20")
        for resource in page.resources
    ]
    check("$everything of some types", {"Condition", "Encounter"}, set(only) - {"Patient"})

    # Sent again, what is found by its condition is not created again, and the new record points at it.
    again, later = send(ask, bundle, names, resources)
    shared = [name for name in names if condition(resources[name])]
    check("sent again: what has a condition is found", {"200"}, {status for name, status in zip(names, again) if name in shared})
    check("at the same place", {name: places[name] for name in shared}, {name: later[name] for name in shared})
    check("and all else is new", True, all(later[name] != places[name] for name in names if name not in shared))
    encounter = next(name for name in names if name.startswith("Encounter/"))
    now = ask("GET", later[encounter]).body
    check("the new record points at itself", later[patient], now["subject"]["reference"])


main(*sys.argv[1:])
