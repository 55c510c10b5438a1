"""Eight clients at once, 200 requests each: crowd.py BASE

None is answered by an error of the server; no update is lost; of many conditional creates one creates; every version is there."""

import random
import sys
import threading

from checks import Plain, check

CLIENTS, REQUESTS = 8, 200
SYSTEM = "http://example.org/crowd"
ONCE = 20


class Client(threading.Thread):
    def __init__(self, number, base):
        super().__init__()
        self.ask, self.random, self.number = Plain(base), random.Random(number), number
        self.statuses, self.added, self.once, self.own = [], 0, {}, []

    def run(self):
        for i in range(REQUESTS):
            what = self.random.choices(
                [self.create, self.read, self.search, self.add, self.create_once, self.transact, self.history, self.delete],
                [20, 20, 15, 20, 10, 5, 5, 5],
            )[0]
            self.statuses.append((what.__name__, what(i).status))
        self.ask.close()

    def create(self, i):
        answer = self.ask("POST", "Patient", {"resourceType": "Patient", "name": [{"family": f"Crowd{self.number}"}]})
        if answer.status == 201:
            self.own.append(answer.body["id"])
        return answer

    def read(self, _):
        return self.ask("GET", f"Patient/{self.random.choice(self.own)}" if self.own else "Basic/counter")

    def search(self, _):
        return self.ask("GET", f"Patient?family=Crowd{self.number}&_count=5&_sort=-_lastUpdated")

    def add(self, _):
        """One more on the counter, if nobody was faster: read, then update with If-Match. Counts as one request."""
        now = self.ask("GET", "Basic/counter").body
        number = int(now["code"]["text"])
        now["code"]["text"] = str(number + 1)
        answer = self.ask("PUT", "Basic/counter", now, If_Match=f'W/"{now["meta"]["versionId"]}"')
        self.added += answer.status == 200
        return answer

    def create_once(self, _):
        value = f"once-{self.random.randrange(ONCE)}"
        resource = {"resourceType": "Organization", "name": value, "identifier": [{"system": SYSTEM, "value": value}]}
        answer = self.ask("POST", "Organization", resource, If_None_Exist=f"identifier={SYSTEM}|{value}")
        if answer.status in (200, 201):
            self.once.setdefault(value, []).append((answer.status, answer.body["id"]))
        return answer

    def transact(self, i):
        url = f"urn:uuid:00000000-0000-4000-8000-{self.number:06}{i:06}"
        organization = {
            "fullUrl": url,
            "resource": {"resourceType": "Organization", "name": "of a transaction"},
            "request": {"method": "POST", "url": "Organization"},
        }
        patient = {
            "resource": {
                "resourceType": "Patient",
                "name": [{"family": f"Crowd{self.number}"}],
                "managingOrganization": {"reference": url},
            },
            "request": {"method": "POST", "url": "Patient"},
        }
        answer = self.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [patient, organization]})
        if answer.status == 200:
            self.own.append(answer.entries[0]["response"]["location"].split("/_history")[0].split("/")[-1])
        return answer

    def history(self, _):
        return self.ask("GET", "Basic/counter/_history?_count=3")

    def delete(self, _):
        return self.ask("DELETE", f"Patient/{self.own.pop()}" if self.own else "Patient/nobody")


def main(base):
    ask = Plain(base)
    ask("PUT", "Basic/counter", {"resourceType": "Basic", "id": "counter", "code": {"text": "0"}})
    clients = [Client(number, base) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    statuses = [status for client in clients for status in client.statuses]
    check(f"{CLIENTS} clients are answered {REQUESTS} times each", CLIENTS * REQUESTS, len(statuses))
    check("no error of the server", [], [status for status in statuses if status[1] >= 500])
    unexpected = [
        s
        for s in statuses
        if s[1] not in {"add": (200, 409, 412), "create_once": (200, 201, 409), "delete": (200, 204, 404)}.get(s[0], (200, 201))
    ]
    check("and nothing but what is to be expected", [], unexpected)
    added, counter = sum(client.added for client in clients), ask("GET", "Basic/counter").body
    check("no update is lost", (str(added), str(added + 1)), (counter["code"]["text"], counter["meta"]["versionId"]))
    check("some updates met another", True, added > 0 and any(s == ("add", 412) or s == ("add", 409) for s in statuses))
    versions = [e["resource"]["meta"]["versionId"] for page in ask.pages("Basic/counter/_history?_count=100") for e in page.entries]
    check("its versions have no gap", [str(v) for v in range(added + 1, 0, -1)], versions)
    once = {}
    for client in clients:
        for value, answers in client.once.items():
            once.setdefault(value, []).extend(answers)
    check(
        "one conditional create creates, the others find it",
        [],
        [
            value
            for value, answers in once.items()
            if len({id for _, id in answers}) != 1 or [status for status, _ in answers].count(201) != 1
        ],
    )
    check(
        "and search finds one",
        {value: 1 for value in once},
        {value: len(ask("GET", f"Organization?identifier={SYSTEM}|{value}").matches()) for value in once},
    )
    own = sorted(id for client in clients for id in client.own)
    found = [r["id"] for n in range(CLIENTS) for page in ask.pages(f"Patient?family=Crowd{n}&_count=20") for r in page.matches()]
    check("what was created and not deleted is found, each once", own, sorted(found))


main(sys.argv[1])
