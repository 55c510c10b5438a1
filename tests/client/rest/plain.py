"""Every interaction of https://hl7.org/fhir/R4/http.html by HTTP alone: plain.py BASE"""

import sys
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

from checks import Plain, check

SYSTEM = "http://example.org/rest"


def patient(family, **more):
    return {"resourceType": "Patient", "name": [{"family": family, "given": ["Zoë"]}], "birthDate": "1980-02-29", **more}


def identifier(value):
    return {"identifier": [{"system": SYSTEM, "value": value}]}


def capabilities(ask):
    answer = ask("GET", "metadata")
    statement = answer.body
    check("GET metadata", (200, "CapabilityStatement", "4.0.1"), (answer.status, statement["resourceType"], statement["fhirVersion"]))
    check("implementation.url is the base", ask.base, statement["implementation"]["url"])
    types = {resource["type"]: resource for resource in statement["rest"][0]["resource"]}
    told = {interaction["code"] for interaction in types["Patient"]["interaction"]}
    check(
        "the interactions of a type",
        {"read", "vread", "update", "delete", "create", "history-instance", "history-type", "search-type"},
        told - {"patch"},
    )
    # What is told must be so: each parameter and each include of some types is asked for.
    refused = []
    for name in ("Patient", "Observation", "Encounter", "MedicationRequest", "Location", "ValueSet"):
        plain = [parameter["name"] for parameter in types[name]["searchParam"] if parameter["type"] not in ("composite", "special")]
        # words are looked for in text, which is never missing
        asked = [f"{code}=words" if code in ("_text", "_content") else f"{code}:missing=true" for code in plain]
        asked += [f"_include={include}" for include in types[name].get("searchInclude", [])]
        asked += [f"_revinclude={include}" for include in types[name].get("searchRevInclude", [])]
        refused += [f"{name}?{query}" for query in asked if ask("GET", f"{name}?{query}").status != 200]
    check("what the statement tells can be searched for", [], refused)


def writes(ask):
    created = ask("POST", "Patient", patient("Created", id="not-mine"))
    mine = created.body
    path = f"Patient/{mine['id']}"
    check("create", (201, "1", False), (created.status, mine["meta"]["versionId"], mine["id"] == "not-mine"))
    check("Location", f"{ask.base}/{path}/_history/1", created.headers["Location"])
    read = ask("GET", path)
    check("read gives what create gave", (200, mine), (read.status, read.body))
    head = ask("HEAD", path)
    check(
        "HEAD gives the headers of GET",
        (200, read.headers["ETag"], read.headers["Last-Modified"], None),
        (head.status, head.headers["ETag"], head.headers["Last-Modified"], head.body),
    )
    for _ in range(2):
        updated = ask("PUT", path, {**mine, "active": True}, If_Match='W/"1"')
        if updated.status != 200:
            break
        check("update with If-Match", (200, "2", True), (updated.status, updated.body["meta"]["versionId"], updated.body["active"]))
    check("If-Match of an older version", 412, updated.status)
    check(
        "and nothing is changed",
        ("2", True),
        tuple(ask("GET", path).body[name] if name == "active" else ask("GET", path).body["meta"][name] for name in ("versionId", "active")),
    )
    check("the first version", (200, mine), (lambda answer: (answer.status, answer.body))(ask("GET", f"{path}/_history/1")))
    check("a version that is not there", 404, ask("GET", f"{path}/_history/9").status)
    same = ask("PUT", path, {**mine, "active": True})
    check("an update that changes nothing makes no version", (200, 'W/"2"'), (same.status, same.headers["ETag"]))
    check(
        "update by an id that is not there creates",
        (201, "1"),
        (lambda a: (a.status, a.body["meta"]["versionId"]))(ask("PUT", "Patient/own-id", patient("Own", id="own-id"))),
    )
    check("update by another id than the resource's", 400, ask("PUT", "Patient/other-id", patient("Own", id="own-id")).status)
    check("update without an id", 400, ask("PUT", "Patient/own-id", patient("Own")).status)
    check("If-Match of what is not there", 412, ask("PUT", "Patient/nowhere", patient("Own", id="nowhere"), If_Match='W/"1"').status)
    minimal = ask("POST", "Patient", patient("Minimal"), Prefer="return=minimal")
    check("return=minimal", (201, None, True), (minimal.status, minimal.body, "Location" in minimal.headers))
    outcome = ask("POST", "Patient", patient("Outcome"), Prefer="return=OperationOutcome")
    check("return=OperationOutcome", (201, "OperationOutcome"), (outcome.status, outcome.body["resourceType"]))
    return path


def known(ask, path):
    read = ask("GET", path)
    tag, modified = read.headers["ETag"], read.headers["Last-Modified"]
    check("If-None-Match of this version", (304, None), (lambda a: (a.status, a.body))(ask("GET", path, If_None_Match=tag)))
    check("If-None-Match of several", 304, ask("GET", path, If_None_Match=f'W/"77", {tag}').status)
    check("If-None-Match of another version", (200, read.body), (lambda a: (a.status, a.body))(ask("GET", path, If_None_Match='W/"77"')))
    check("If-Modified-Since its time", 304, ask("GET", path, If_Modified_Since=modified).status)
    before = format_datetime(parsedate_to_datetime(modified) - timedelta(seconds=1), usegmt=True)
    check("If-Modified-Since before", 200, ask("GET", path, If_Modified_Since=before).status)


def patches(ask, path):
    operations = [{"op": "test", "path": "/active", "value": True}, {"op": "replace", "path": "/birthDate", "value": "1981"}]
    before = ask("GET", path).body
    patched = ask("PATCH", path, operations, Content_Type="application/json-patch+json")
    if patched.status >= 400 and "patch is not supported" in patched.diagnostics:
        print("skipped: patch: the server does not support it")
        return
    check(
        "JSON Patch",
        (200, "1981", int(before["meta"]["versionId"]) + 1),
        (patched.status, patched.body.get("birthDate"), int(patched.body["meta"]["versionId"])),
    )
    wrong = [{"op": "test", "path": "/active", "value": False}, {"op": "remove", "path": "/name"}]
    check(
        "a test that fails",
        (True, patched.body),
        (ask("PATCH", path, wrong, Content_Type="application/json-patch+json").status in (409, 422), ask("GET", path).body),
    )
    stale = ask("PATCH", path, operations, Content_Type="application/json-patch+json", If_Match='W/"1"')
    check("patch with If-Match of an older version", 412, stale.status)
    merged = ask("PATCH", path, {"birthDate": None, "gender": "other"}, Content_Type="application/merge-patch+json")
    check("merge patch", (200, False, "other"), (merged.status, "birthDate" in merged.body, merged.body.get("gender")))
    part = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Patient.gender"},
        {"name": "value", "valueCode": "female"},
    ]
    by_path = ask("PATCH", path, {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]})
    check("FHIRPath Patch", (200, "female"), (by_path.status, by_path.body.get("gender")))
    invalid = ask("PATCH", path, {"gender": "no such code", "nonsense": 1}, Content_Type="application/merge-patch+json")
    check("a patch to what is not valid", (True, "female"), (invalid.status in (400, 422), ask("GET", path).body["gender"]))
    check(
        "a patch of what is not there", 404, ask("PATCH", "Patient/nowhere", operations, Content_Type="application/json-patch+json").status
    )
    check("a patch in XML", 415, ask("PATCH", path, "<diff/>", Content_Type="application/xml-patch+xml").status)


def deletions(ask):
    path = "Patient/to-delete"
    ask("PUT", path, patient("Deleted", id="to-delete", **identifier("to-delete")))
    check("delete", True, ask("DELETE", path).status in (200, 204))
    check("read of what is deleted", 410, ask("GET", path).status)
    check("vread of its deletion", 410, ask("GET", f"{path}/_history/2").status)
    check("vread of what it was", 200, ask("GET", f"{path}/_history/1").status)
    check("it is not found", [], ask("GET", f"Patient?identifier={SYSTEM}|to-delete").matches())
    check("delete again", True, ask("DELETE", path).status in (200, 204))
    check("delete what never was", True, ask("DELETE", "Patient/never").status in (200, 204, 404))
    check(
        "update brings it back",
        (201, "3"),
        (lambda a: (a.status, a.body["meta"]["versionId"]))(ask("PUT", path, patient("Back", id="to-delete"))),
    )
    check("and read finds it", 200, ask("GET", path).status)


def searches(ask):
    ids = set()
    for i in range(23):
        ids.add(f"page-{i}")
        ask(
            "PUT",
            f"Patient/page-{i}",
            patient("Paged", id=f"page-{i}", **({"managingOrganization": {"reference": "Organization/page-o"}} if i % 2 else {})),
        )
    ask("PUT", "Organization/page-o", {"resourceType": "Organization", "id": "page-o", "name": "Pages"})
    for query in (
        "family=Paged&_count=4",
        "family=paged&_count=5&_sort=-birthdate",
        "family=Paged&_count=7&_sort=_id&_total=accurate",
        "family=Paged&_count=1&_elements=name",
    ):
        pages = list(ask.pages(f"Patient?{query}"))
        found = [resource["id"] for page in pages for resource in page.matches()]
        check(f"all pages of {query}: each once", sorted(ids), sorted(found))
        size = int(query.split("_count=")[1].split("&")[0])
        check(f"and no page over {size}", True, all(len(page.matches()) <= size for page in pages))
    back = list(ask.pages("Patient?family=Paged&_count=10"))
    if back[-1].link("previous") or back[-1].link("prev"):
        print("ok a page has a link back")
    check("self tells what was understood", True, "family=Paged" in back[0].link("self"))
    get = ask("GET", "Patient?family=Paged&_count=50&_sort=_id")
    form = ask("POST", "Patient/_search", "family=Paged&_count=50&_sort=_id", Content_Type="application/x-www-form-urlencoded")
    check("POST _search finds what GET finds", (200, get.resources), (form.status, form.resources))
    mixed = ask("POST", "Patient/_search?_count=50", "family=Paged&_sort=_id", Content_Type="application/x-www-form-urlencoded")
    check("POST _search with parameters in both places", get.resources, mixed.resources)
    encoded = ask(
        "POST",
        "Patient/_search",
        "given=Zo%C3%AB&family=Pag%65d&_summary=count",
        Content_Type="application/x-www-form-urlencoded;charset=UTF-8",
    )
    check("_summary=count", (23, []), (encoded.body["total"], encoded.entries))
    form = ask("POST", "_search", "_type=Patient,Organization&_id=page-1,page-o", Content_Type="application/x-www-form-urlencoded")
    check("search in all types", {"page-1", "page-o"}, {resource["id"] for resource in form.resources})
    included = ask("GET", "Patient?_id=page-1,page-3&_include=Patient:organization")
    check(
        "_include",
        [("Organization", "include"), ("Patient", "match"), ("Patient", "match")],
        sorted((e["resource"]["resourceType"], e["search"]["mode"]) for e in included.entries),
    )
    reverse = ask("GET", "Organization?_id=page-o&_revinclude=Patient:organization&_count=100")
    check("_revinclude", 12, len(reverse.entries))
    summary = ask("GET", "Patient/page-1?_elements=birthDate").body
    check("_elements of a read", (False, "SUBSETTED"), ("name" in summary, summary["meta"]["tag"][-1]["code"]))
    named = ask("GET", "Patient?_id=page-1&_elements=resourceType,id,birthDate").entries[0]["resource"]
    check("_elements may name resourceType", (False, "1980-02-29"), ("name" in named, named["birthDate"]))
    check("an unknown parameter, strict", 400, ask("GET", "Patient?nonsense=1", Prefer="handling=strict").status)
    lenient = ask("GET", "Patient?family=Paged&nonsense=1&_count=3", Prefer="handling=lenient")
    check("an unknown parameter, lenient", (200, False), (lenient.status, "nonsense" in lenient.link("self")))
    check("a value that is none", 400, ask("GET", "Patient?birthdate=yesterday").status)
    check("a type that is none", 404, ask("GET", "Patients?name=x").status)
    check("a compartment", 200, ask("GET", "Patient/page-1/Observation").status)


def conditions(ask):
    for status in (201, 200):
        created = ask("POST", "Patient", patient("Once", **identifier("once")), If_None_Exist=f"identifier={SYSTEM}|once")
        check("conditional create", status, created.status)
    check("it tells where it is", True, "/_history/1" in (created.headers["Content-Location"] or created.headers["Location"] or ""))
    ask("POST", "Patient", patient("Twice", **identifier("twice")))
    ask("POST", "Patient", patient("Twice", **identifier("twice")))
    several = f"identifier={SYSTEM}|twice"
    check("conditional create that matches several", 412, ask("POST", "Patient", patient("Twice"), If_None_Exist=several).status)
    check("conditional update that matches several", 412, ask("PUT", f"Patient?{several}", patient("Twice")).status)
    check("conditional delete that matches several", 412, ask("DELETE", f"Patient?{several}").status)
    for status, version in ((201, "1"), (200, "2")):
        updated = ask("PUT", f"Patient?identifier={SYSTEM}|by-condition", patient(f"Version {version}", **identifier("by-condition")))
        check("conditional update", (status, version), (updated.status, updated.body["meta"]["versionId"]))
    check("conditional delete", True, ask("DELETE", f"Patient?identifier={SYSTEM}|by-condition").status in (200, 204))
    check("and it is gone", 410, ask("GET", f"Patient/{updated.body['id']}").status)


def bundles(ask):
    def entry(method, url, resource=None, **more):
        return {"request": {"method": method, "url": url, **more}, **({"resource": resource} if resource else {})}

    ask("PUT", "Patient/batch-old", patient("Old", id="batch-old"))
    batch = ask(
        "POST",
        "",
        {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [
                entry("GET", "Patient/batch-old"),
                entry("POST", "Patient", patient("Batch")),
                entry("GET", "Patient/nowhere"),
                entry("PUT", "Patient/batch-old", patient("New", id="batch-old"), ifMatch='W/"7"'),
                entry("POST", "Patient", {"resourceType": "Patient", "birthDate": "never"}),
                entry("GET", "Patient?family=Paged&_count=2"),
                entry("DELETE", "Patient/batch-old"),
                entry("GET", "Patient/page-1", ifNoneMatch='W/"1"'),
                entry("GET", "metadata"),
            ],
        },
    )
    statuses = [one["response"]["status"][:3] for one in batch.entries]
    check(
        "a batch answers each by itself",
        ["200", "201", "404", "412", "400", "200", True, "304", "200"],
        [*statuses[:6], statuses[6] in ("200", "204"), *statuses[7:]],
    )
    check(
        "failures are told by an outcome",
        [2, 3, 4],
        [
            i
            for i, one in enumerate(batch.entries)
            if one["response"].get("outcome", {}).get("resourceType") == "OperationOutcome" and one["response"]["status"] >= "4"
        ],
    )
    check(
        "reads give the resource",
        ["Patient", "Bundle", "CapabilityStatement"],
        [one["resource"]["resourceType"] for one in batch.entries if "resource" in one],
    )
    failed = ask(
        "POST",
        "",
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                entry("PUT", "Patient/never-written", patient("Never", id="never-written")),
                entry("PUT", "Patient/never-too", {"resourceType": "Patient", "id": "never-too", "birthDate": "never"}),
            ],
        },
    )
    check(
        "a transaction that fails",
        (True, 404, 404),
        (failed.status in (400, 422), ask("GET", "Patient/never-written").status, ask("GET", "Patient/never-too").status),
    )
    check("and tells by which entry", True, "entry" in str(failed.body).lower() and "1" in str(failed.body))
    order = ask(
        "POST",
        "",
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                entry("GET", "Patient?family=Ordered"),
                {**entry("POST", "Patient", patient("Ordered")), "fullUrl": "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"},
                entry("DELETE", "Patient/page-22"),
            ],
        },
    )
    check(
        "a transaction deletes, writes, then reads",
        (200, 1, 410),
        (order.status, len(order.entries[0]["resource"].get("entry", [])), ask("GET", "Patient/page-22").status),
    )
    moved = ask(
        "POST",
        "",
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                entry("GET", "Patient/order-me"),
                entry("GET", "Patient/order-me/_history"),
                entry("GET", "Patient/order-me/$everything"),
                entry("PUT", "Patient/order-me", patient("Read", id="order-me")),
            ],
        },
    )
    check("and its reads see what it wrote", ["200", "200", "200", "201"], [one["response"]["status"][:3] for one in moved.entries])
    check("in histories too", 1, len(moved.entries[1]["resource"].get("entry", [])) if moved.entries else None)
    check("an empty transaction", 200, ask("POST", "", {"resourceType": "Bundle", "type": "transaction"}).status)
    check("a Bundle of another type", 400, ask("POST", "", {"resourceType": "Bundle", "type": "collection"}).status)
    check("a Bundle may also be stored", 201, ask("POST", "Bundle", {"resourceType": "Bundle", "type": "collection"}).status)


def histories(ask):
    path = "Basic/told"
    for i in range(3):
        ask("PUT", path, {"resourceType": "Basic", "id": "told", "code": {"text": f"version {i}"}})
    ask("DELETE", path)
    history = ask("GET", f"{path}/_history")
    check(
        "the history of an instance",
        (200, "history", ["DELETE", "PUT", "PUT", "PUT"]),
        (history.status, history.body["type"], [e["request"]["method"] for e in history.entries]),
    )
    check("its versions", ["version 2", "version 1", "version 0"], [r["code"]["text"] for r in history.resources])
    for at in ("Basic/_history", "_history", f"{path}/_history"):
        whole = [key(e) for page in ask.pages(f"{at}?_count=1000") for e in page.entries]
        paged = [key(e) for page in ask.pages(f"{at}?_count=3" if at != "_history" else f"{at}?_count=50") for e in page.entries]
        check(f"all pages of {at}: each version once", (whole, len(whole)), (paged, len(set(paged))))
    second = history.entries[2]["response"]["lastModified"]
    since = ask("GET", f"{path}/_history?_since={second}".replace("+", "%2B"))
    check("_since", 3, len(since.entries))
    check("the history of what never was", 404, ask("GET", "Basic/never/_history").status)


def key(entry):
    return (entry["request"]["url"], entry["response"]["lastModified"], entry["response"].get("etag"))


def errors(ask):
    for what, expected, answer in [
        ("JSON that is broken", {400}, ask("POST", "Patient", '{"resourceType":', Content_Type="application/fhir+json")),
        ("a body that is no resource", {400, 422}, ask("POST", "Patient", "[1]", Content_Type="application/fhir+json")),
        ("a body of another type", {400, 422}, ask("POST", "Patient", {"resourceType": "Observation"})),
        ("no body", {400}, ask("POST", "Patient")),
        ("an unknown element", {400, 422}, ask("POST", "Patient", patient("X", nonsense=1))),
        ("a date that is none", {400, 422}, ask("POST", "Patient", {"resourceType": "Patient", "birthDate": "1980-02-30"})),
        (
            "NUL in a string",
            {400, 422},
            ask("POST", "Patient", '{"resourceType":"Patient","name":[{"family":"a\\u0000b"}]}', Content_Type="application/json"),
        ),
        (
            "half a surrogate pair",
            {400, 422},
            ask("POST", "Patient", '{"resourceType":"Patient","name":[{"family":"\\ud800"}]}', Content_Type="application/json"),
        ),
        (
            "a body that is not in UTF-8",
            {400},
            ask("POST", "Patient", b'{"resourceType":"Patient","name":[{"family":"\xff"}]}', Content_Type="application/json"),
        ),
        ("depth", {400, 413, 422}, ask("POST", "Patient", "[" * 100000, Content_Type="application/json")),
        ("XML asked for", {406}, ask("GET", "Patient/page-1", Accept="application/fhir+xml")),
        ("XML asked for by _format", {406}, ask("GET", "Patient/page-1?_format=xml")),
        ("XML sent", {415}, ask("POST", "Patient", "<Patient/>", Content_Type="application/fhir+xml")),
        ("what is no id", {404, 400}, ask("GET", "Patient/a_b")),
        ("an unknown type", {404}, ask("GET", "Nonsense/1")),
        ("an unknown operation", {404}, ask("GET", "Patient/page-1/$nonsense")),
        ("create with criteria", {400}, ask("POST", "Patient?identifier=x", patient("X"))),
        ("POST to an instance", {405}, ask("POST", "Patient/page-1", patient("X"))),
        ("PUT to the base", {405, 400}, ask("PUT", "", patient("X"))),
        ("an unknown method", {405}, ask("OPTIONS", "Patient/page-1")),
        ("percent signs that end", {400, 404}, ask("GET", "Patient/%")),
        ("percent-encoded NUL", {400, 404}, ask("GET", "Patient/%00")),
        ("percent-encoded NUL in a search", {200, 400}, ask("GET", "Patient?name=a%00b")),
        ("what is not UTF-8 in a search", {400}, ask("GET", "Patient?name=%ff")),
        ("a quote", {200, 400}, ask("GET", "Patient?name='%3B%20DROP%20TABLE%20lake.patient%3B--")),
        ("a long search", {200, 400, 413}, ask("GET", "Patient?name=" + "a" * 30000)),
        ("_count that is none", {400}, ask("GET", "Patient?_count=many")),
        ("_count below nothing", {400}, ask("GET", "Patient?_count=-1")),
        ("a cursor that is none", {400}, ask("GET", "Patient?_cursor=%27")),
        ("an instant that is none", {400}, ask("GET", "Patient/_history?_since=then")),
        ("If-Match that is none", {400, 412}, ask("PUT", "Patient/page-1", patient("X", id="page-1"), If_Match="nonsense")),
    ]:
        check(
            f"{what}: {sorted(expected)}, OperationOutcome",
            True,
            answer.status in expected
            and (answer.status == 200 or answer.body["resourceType"] == "OperationOutcome")
            or (answer.status, answer.body),
        )
    json = [
        ask("GET", "Patient/page-1", **headers).status
        for headers in (
            {},
            {"Accept": "*/*"},
            {"Accept": "application/json"},
            {"Accept": "application/fhir+json; fhirVersion=4.0"},
            {"Accept": "application/fhir+xml;q=0.5, application/fhir+json"},
        )
    ]
    check("JSON is what who asks for anything gets", [200] * 5, [*json])
    check("_format=json over Accept", 200, ask("GET", "Patient/page-1?_format=json", Accept="application/fhir+xml").status)
    forwarded = ask("GET", "Patient?_id=page-1", X_Forwarded_Proto="https", X_Forwarded_Host="lake.example.org")
    check("links by X-Forwarded-Host", "https://lake.example.org/fhir/Patient/page-1", forwarded.entries[0]["fullUrl"])


def operations(ask):
    valid = ask("POST", "Patient/$validate", patient("Valid"))
    check(
        "$validate of what is valid",
        (200, []),
        (valid.status, [issue for issue in valid.body["issue"] if issue["severity"] in ("error", "fatal")]),
    )
    invalid = ask(
        "POST",
        "Patient/$validate",
        {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": {"resourceType": "Patient", "gender": 7}}]},
    )
    check(
        "$validate of what is not",
        (200, True),
        (invalid.status, any("Patient.gender" in str(issue.get("expression", "")) for issue in invalid.body["issue"])),
    )


def main(base):
    ask = Plain(base)
    parts = [
        capabilities,
        lambda ask: patches(ask, known_path(ask)),
        deletions,
        searches,
        conditions,
        bundles,
        histories,
        errors,
        operations,
    ]
    for part in parts:
        part(ask)


def known_path(ask):
    path = writes(ask)
    known(ask, path)
    return path


main(sys.argv[1])
