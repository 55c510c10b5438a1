"""What the specification says of every answer, whatever was asked: https://hl7.org/fhir/R4/http.html"""

import json
import re
from collections import Counter
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlsplit

SHOWN = 5


class Exchange(NamedTuple):
    method: str
    url: str
    asked: dict
    sent: str | None
    status: int
    headers: dict
    answer: str | None


class Judge:
    """Reads all answers, and counts how often each rule was kept and broken."""

    def __init__(self, connection):
        self.connection = connection
        self.kept, self.broken = Counter(), Counter()
        self.examples = {}

    def run(self, exchanges):
        while exchange := exchanges.get():
            try:
                for rule, kept in verdicts(exchange, self.is_valid):
                    self.count(rule, kept, exchange)
            except Exception as error:  # an answer of a form that no rule has thought of
                self.count(f"can be read: {error!r}", False, exchange)

    def is_valid(self, text):
        return self.connection.execute("SELECT fhir.is_valid(%s::jsonb)", [text], prepare=True).fetchone()[0]

    def count(self, rule, kept, exchange):
        (self.kept if kept else self.broken)[rule] += 1
        if not kept:
            self.examples.setdefault(rule, []).append(exchange)

    def tell(self):
        for rule in sorted(RULES | self.kept.keys() | self.broken.keys()):
            if self.broken[rule]:
                print(f"FAILED: {rule}: {self.broken[rule]} of {self.kept[rule] + self.broken[rule]} answers break it")
                for exchange in self.examples[rule][:SHOWN]:
                    sent, answer = (exchange.sent or "")[:600], (exchange.answer or "")[:600]
                    print(
                        f"  {exchange.method} {exchange.url}\n    {exchange.asked}\n    {sent}\n  {exchange.status} {exchange.headers}\n    {answer}"
                    )
            elif self.kept[rule]:
                print(f"ok {rule}: {self.kept[rule]} answers")
            else:
                print(f"FAILED: {rule}: no answer that it is about")


STATUS = "no answer is an error of the server"
BODY = "a body is a resource, and there is none where none belongs"
VALID = "every resource is valid"
OUTCOME = "an error is told by an OperationOutcome"
TYPE = "a body has its media type"
CREATED = "201 tells the address of the version"
TAGS = "ETag and Last-Modified are those of the resource"
KNOWN = "304 tells the version"
LINKS = "the links of a Bundle are below the base that was asked, and one is self"
FULL_URLS = "the fullUrl of an entry is its resource's address"
MODES = "entries of a search tell why they are there, and none is there twice"
TOTALS = "a page has no more matches than there are in total"
HISTORY = "entries of a history tell what was asked and answered, latest first"
ANSWERS = "a batch or transaction is answered entry by entry"
RULES = {STATUS, BODY, VALID, OUTCOME, TYPE, CREATED, TAGS, KNOWN, LINKS, FULL_URLS, MODES, TOTALS, HISTORY, ANSWERS}


def verdicts(exchange, is_valid):
    """Each rule that says something of this answer, and whether it keeps to it."""
    method, url, asked, sent, status, headers, answer = exchange
    yield STATUS, 200 <= status < 500
    body = None if answer is None else json.loads(answer)
    prefers = next((value for name, value in asked.items() if name.lower() == "prefer"), "")
    none = method == "HEAD" or status in (204, 304)
    yield BODY, body is None if none else isinstance(body and body.get("resourceType"), str) or "return=minimal" in prefers
    if body:
        yield TYPE, headers.get("Content-Type", "").startswith("application/fhir+json")
        if body["resourceType"] != "Binary":
            yield VALID, is_valid(answer)
    if status >= 400 and method != "HEAD":
        issues = body.get("issue", [])
        yield OUTCOME, body["resourceType"] == "OperationOutcome" and any(issue["severity"] in ("error", "fatal") for issue in issues)
        return
    base, path = split(url)
    if status == 201:
        address = headers.get("Location", "")
        found = re.fullmatch(re.escape(base) + r"/[A-Z]\w+/[A-Za-z0-9.-]{1,64}/_history/(\d+)", address)
        yield CREATED, bool(found) and headers.get("ETag") == f'W/"{found[1]}"' and "Last-Modified" in headers
    if status == 304:
        yield KNOWN, bool(re.fullmatch(r'W/"\d+"', headers.get("ETag", "")))
    if not body:
        return
    kind = body["resourceType"]
    if kind == path[0] and "ETag" in headers and "_summary=" not in url and "_elements=" not in url:
        meta = body["meta"]
        modified = instant(meta["lastUpdated"]).replace(microsecond=0)
        yield TAGS, headers["ETag"] == f'W/"{meta["versionId"]}"' and parsedate_to_datetime(headers["Last-Modified"]) == modified
    if kind == "Bundle" and path[0] != "Bundle":
        yield from of_bundle(body, base, sent)


def of_bundle(bundle, base, sent):
    entries = bundle.get("entry", [])
    if bundle["type"] in ("searchset", "history"):
        links = bundle.get("link", [])
        yield LINKS, all(link["url"].startswith(base + "/") for link in links) and [link["relation"] for link in links].count("self") == 1
        for entry in entries:
            if "resource" in entry and entry["resource"]["resourceType"] != "OperationOutcome":
                yield FULL_URLS, entry.get("fullUrl") == f"{base}/{address(entry)}"
    if bundle["type"] == "searchset":
        modes = [entry.get("search", {}).get("mode") for entry in entries]
        addresses = [address(entry) for entry in entries if entry["resource"]["resourceType"] != "OperationOutcome"]
        yield MODES, set(modes) <= {"match", "include", "outcome"} and len(addresses) == len(set(addresses))
        if "total" in bundle:
            yield TOTALS, modes.count("match") <= bundle["total"]
    if bundle["type"] == "history":
        told = [entry.get("response", {}) for entry in entries]
        times = [instant(one["lastModified"]) for one in told if "lastModified" in one]
        forms = all(
            entry["request"]["method"] in ("POST", "PUT", "PATCH", "DELETE")
            and entry["request"]["url"]
            and ("resource" in entry) == (entry["request"]["method"] != "DELETE")
            for entry in entries
        )
        yield HISTORY, forms and len(times) == len(entries) and times == sorted(times, reverse=True)
    if bundle["type"] in ("batch-response", "transaction-response"):
        statuses = [entry["response"]["status"][:3] for entry in entries]
        asked = json.loads(sent)
        whole = bundle["type"] == "transaction-response"
        fits = bundle["type"] == asked["type"] + "-response" and len(entries) == len(asked.get("entry", []))
        yield ANSWERS, fits and all(status.isdigit() and (not whole or status < "400") for status in statuses)
        yield STATUS, all(status < "500" for status in statuses)


def address(entry):
    return f"{entry['resource']['resourceType']}/{entry['resource']['id']}"


def split(url):
    """The base, and the segments behind it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/fhir", [*parts.path.removeprefix("/fhir").strip("/").split("/"), ""]


def instant(text):
    return datetime.fromisoformat(text).astimezone(timezone.utc)
