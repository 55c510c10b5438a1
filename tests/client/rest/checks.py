"""Checks that print a line each, and a client that is nothing but HTTP."""

import http.client
import json
from urllib.parse import urlsplit


def check(what, expected, found):
    if expected == found:
        print(f"ok {what}")
    else:
        print(f"FAILED: {what}\n  expected: {short(expected)}\n  found:    {short(found)}")
    return expected == found


def short(value):
    text = json.dumps(value, default=repr)
    return text if len(text) <= 1500 else text[:1500] + " …"


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers = status, headers
        self.body = json.loads(text) if text else None

    @property
    def entries(self):
        return self.body.get("entry", [])

    @property
    def resources(self):
        return [entry["resource"] for entry in self.entries if "resource" in entry]

    def matches(self):
        return [entry["resource"] for entry in self.entries if entry["search"]["mode"] == "match"]

    def link(self, relation):
        return next((link["url"] for link in self.body.get("link", []) if link["relation"] == relation), None)

    @property
    def diagnostics(self):
        return " ".join(issue.get("diagnostics", "") for issue in self.body.get("issue", []))


class Plain:
    """One connection. Bodies that are no text are sent as FHIR's JSON."""

    def __init__(self, base):
        self.base = base
        self.connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=300)

    def __call__(self, method, path, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/fhir+json")
        url = path if path.startswith("http") else f"{self.base}/{path}"
        self.connection.request(method, url.removeprefix(self.base.removesuffix("/fhir")), body, headers)
        answer = self.connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def pages(self, path):
        """All pages, by their next links."""
        answer = self("GET", path)
        yield answer
        while url := answer.link("next"):
            answer = self("GET", url)
            yield answer

    def close(self):
        self.connection.close()
