"""fhirclient, whose models are strict: what they cannot read is an error. with_fhirclient.py BASE"""

import sys

from fhirclient.client import FHIRClient
from fhirclient.models.bundle import Bundle
from fhirclient.models.encounter import Encounter
from fhirclient.models.humanname import HumanName
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException
from requests import HTTPError

from checks import check


def status(call):
    try:
        call()
    except FHIRNotFoundException as error:
        return error.response.status_code
    except HTTPError as error:
        return error.response.status_code
    return 200


def main(base):
    client = FHIRClient(settings={"app_id": "tests", "api_base": base})
    check("prepare reads the CapabilityStatement", True, client.prepare())
    server = client.server
    check("of this version", "4.0.1", server.capabilityStatement.fhirVersion)

    patient = Patient({"name": [{"family": "Fhirclient", "given": ["Bo"]}], "birthDate": "1960-05-05"})
    made = patient.create(server)
    read = Patient.read(made["id"], server)
    check("create and read", ("Fhirclient", "1960-05-05"), (read.name[0].family, read.birthDate.isostring))
    read.name = [HumanName({"family": "Changed"})]
    check("update", "2", read.update(server)["meta"]["versionId"])
    check("vread", "Fhirclient", Patient.read_from(f"Patient/{made['id']}/_history/1", server).name[0].family)
    history = Bundle.read_from(f"Patient/{made['id']}/_history", server)
    check("history", ["Changed", "Fhirclient"], [entry.resource.name[0].family for entry in history.entry])
    check("history of the type", "history", Bundle.read_from("Patient/_history?_count=5", server).type)
    check("history of all", "history", Bundle.read_from("_history?_count=5", server).type)

    for i in range(11):
        Encounter(
            {
                "status": "finished",
                "class": {"code": "AMB"},
                "subject": {"reference": f"Patient/{made['id']}"},
                "period": {"start": f"2021-02-{i + 1:02}"},
            }
        ).create(server)
    search = Encounter.where({"subject": f"Patient/{made['id']}", "_count": "3", "_sort": "date"})
    check(
        "perform_resources_iter follows the pages",
        [f"2021-02-{i + 1:02}" for i in range(11)],
        [one.period.start.as_json() for one in search.perform_resources_iter(server)],
    )
    pages = list(Encounter.where({"subject": f"Patient/{made['id']}", "_count": "4"}).include("subject").perform_iter(server))
    check(
        "include on each page",
        [["Encounter"] * n + ["Patient"] for n in (4, 4, 3)],
        [sorted(entry.resource.resource_type for entry in page.entry) for page in pages],
    )
    reverse = Patient.where({"_id": made["id"]}).include("subject", Encounter, reverse=True).perform(server)
    check("include in reverse", 12, len(reverse.entry))
    everything = Bundle.read_from(f"Patient/{made['id']}/$everything", server)
    check("$everything", 12, len(everything.entry))

    url = "urn:uuid:7f2e4f3b-55a7-4e1c-9d7a-0d8a3a0a1c11"
    bundle = Bundle(
        {
            "type": "transaction",
            "entry": [
                {
                    "resource": {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}, "subject": {"reference": url}},
                    "request": {"method": "POST", "url": "Encounter"},
                },
                {"fullUrl": url, "resource": {"resourceType": "Patient", "active": True}, "request": {"method": "POST", "url": "Patient"}},
            ],
        }
    )
    answer = Bundle(bundle.create(server))
    check("a transaction", ["201 Created"] * 2, [entry.response.status for entry in answer.entry])
    encounter = Encounter.read_from(answer.entry[0].response.location.split("/_history")[0], server)
    check("its reference resolves", True, Patient.read_from(encounter.subject.reference, server).active)

    check("what never was", 404, status(lambda: Patient.read("never-fhirclient", server)))
    doomed = Patient(Patient({"active": False}).create(server))
    doomed.delete(server)
    check("what is deleted", 410, status(lambda: Patient.read(doomed.id, server)))
    check("what is not valid", True, status(lambda: server.post_json("Patient", {"resourceType": "Patient", "gender": 7})) in (400, 422))


main(sys.argv[1])
