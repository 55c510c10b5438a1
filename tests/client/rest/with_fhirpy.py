"""fhirpy: with_fhirpy.py BASE"""

import sys

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound

from checks import check

SYSTEM = "http://example.org/fhirpy"


def raises(expected, call):
    try:
        call()
    except expected:
        return expected.__name__
    except Exception as error:
        return repr(error)
    return "nothing"


def main(base):
    client = SyncFHIRClient(base)
    patient = client.resource("Patient", name=[{"family": "Fhirpy", "given": ["Ana"]}], birthDate="1970-01-01")
    patient.save()
    check("save creates", ("1", "Fhirpy"), (patient["meta"]["versionId"], patient.get_by_path("name.0.family")))
    patient["birthDate"] = "1971-01-01"
    patient.save()
    check("save updates", "2", patient["meta"]["versionId"])
    check("get by id", "1971-01-01", client.get("Patient", patient.id)["birthDate"])
    check("to_resource", patient.serialize(), client.reference("Patient", patient.id).to_resource().serialize())
    check("is_valid", True, patient.is_valid())
    check("is_valid of what is not", False, client.resource("Patient", gender="none of these").is_valid())
    check("refresh of what is known (304)", "2", patient.refresh()["meta"]["versionId"])
    client.resource("Patient", **{**patient.serialize(), "active": True, "resourceType": "Patient"}).save()
    check("refresh of what has changed", ("3", True), (patient.refresh()["meta"]["versionId"], patient["active"]))

    for i in range(17):
        client.resource(
            "Observation",
            status="final",
            code={"coding": [{"system": SYSTEM, "code": f"c{i % 2}"}]},
            subject=patient.to_reference(),
            effectiveDateTime=f"2020-01-{i + 1:02}",
            valueQuantity={"value": i, "system": "http://unitsofmeasure.org", "code": "1"},
        ).save()
    observations = client.resources("Observation").search(subject=patient.to_reference().reference)
    check("fetch_all follows the pages", 17, len({one.id for one in observations.limit(5).fetch_all()}))
    check(
        "iteration, sorted",
        [f"2020-01-{i:02}" for i in range(17, 0, -1)],
        [one["effectiveDateTime"] for one in observations.sort("-date").limit(4)],
    )
    check("first", "2020-01-01", observations.sort("date").first()["effectiveDateTime"])
    check("a date from, a date before", 5, len(observations.search(date__ge="2020-01-03", date__lt="2020-01-08").fetch_all()))
    check("a chain", 17, len(client.resources("Observation").search(patient__Patient__family="fhirpy").limit(6).fetch_all()))
    check(
        "_has", [patient.id], [one.id for one in client.resources("Patient").has("Observation", "patient", code=f"{SYSTEM}|c0").fetch_all()]
    )
    check(":missing", 0, len(observations.search(status__missing=True).fetch()))
    bundle = observations.include("Observation", "subject").limit(3).fetch_raw()
    check("include", ["Observation"] * 3 + ["Patient"], sorted(entry.resource.resourceType for entry in bundle.entry))
    check("elements", False, "valueQuantity" in observations.elements("code").first())
    # fhirpy counts by a parameter of its own, _totalMethod; who sends such asks for lenience.
    lenient = SyncFHIRClient(base, extra_headers={"Prefer": "handling=lenient"})
    check("count", 17, lenient.resources("Observation").search(subject=patient.to_reference().reference).count())

    by = client.resources("Patient").search(identifier=f"{SYSTEM}|condition")
    given = {"identifier": [{"system": SYSTEM, "value": "condition"}]}
    one, created = by.update(client.resource("Patient", **given))
    check("conditional update creates", True, created)
    again, created = by.update(client.resource("Patient", **given, active=True))
    check("and updates", (False, one["id"], True), (created, again["id"], again["active"]))
    check("get of one", one["id"], by.get().id)
    for _ in range(2):
        client.resource("Patient", **given).save()
    check("get of several", "MultipleResourcesFound", raises(MultipleResourcesFound, by.get))
    check(
        "conditional update of several (412)",
        "MultipleResourcesFound",
        raises(MultipleResourcesFound, lambda: by.update(client.resource("Patient", **given))),
    )
    everything = client.reference("Patient", patient.id).execute("$everything", method="get")
    check("$everything", 18, len({entry["resource"]["id"] for entry in everything["entry"]}))
    answer = client.execute(
        "",
        method="post",
        data={"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": f"Patient/{patient.id}"}}]},
    )
    check("a batch", "200 OK", answer["entry"][0]["response"]["status"])

    check(
        "an OperationOutcome is raised",
        "OperationOutcome",
        raises(OperationOutcome, client.resource("Patient", gender="none of these").save),
    )
    check(
        "a search that is not understood",
        "OperationOutcome",
        raises(OperationOutcome, client.resources("Patient").search(nonsense=1).fetch),
    )
    doomed = client.resource("Patient", active=False).save()
    doomed.delete()
    check("a deleted resource (410)", "ResourceNotFound", raises(ResourceNotFound, lambda: client.get("Patient", doomed.id)))
    check("what never was (404)", "ResourceNotFound", raises(ResourceNotFound, lambda: client.get("Patient", "never-fhirpy")))
    check(
        "conditional delete",
        204,
        client.resources("Observation").search(subject=patient.to_reference().reference, date="2020-01-01").delete()[1],
    )


main(sys.argv[1])
