"""Expand value sets from the code systems of the same package.

What cannot be expanded from the package alone (BCP 47, mime types, UCUM, SNOMED CT, …) is reported with its reason
and left out: a set that is only partly known must not reject a code.
"""
import re

SEPARATOR = " "


class Unknown(Exception):
    """The set has members that the package does not list."""


def expand_all(package, urls):
    """Rows (url, system, codes) for the sets that expand, and (url, reason) for those that do not."""
    expander = Expander(package)
    rows, omitted = [], []
    for url in urls:
        try:
            pairs = expander.value_set(url, ())
        except Unknown as unknown:
            omitted.append((url, str(unknown)))
            continue
        by_system = {}
        for system, code in pairs:
            by_system.setdefault(system, []).append(code)
        for system in sorted(by_system):
            codes = sorted(by_system[system])
            if any(SEPARATOR in code for code in codes):
                raise ValueError("%s: a code holds the separator" % url)
            rows.append((url, system, SEPARATOR.join(codes)))
    return rows, omitted


class Expander:
    def __init__(self, package):
        self.sets = {v["url"]: v for v in package.of("ValueSet") if "url" in v}
        self.systems = {c["url"]: c for c in package.of("CodeSystem") if "url" in c}

    def value_set(self, url, outer):
        """The set of (system, code); `outer` are the sets that are being expanded, to notice a circle."""
        url = url.split("|")[0]
        if url in outer:
            raise Unknown("refers to itself")
        if url not in self.sets:
            raise Unknown("not in the package: " + url)
        compose = self.sets[url].get("compose")
        if not compose:
            raise Unknown("no compose")
        members = set()
        for part in compose.get("include", []):
            members |= self.part(part, outer + (url,))
        for part in compose.get("exclude", []):
            members -= self.part(part, outer + (url,))
        if not members:
            raise Unknown("no members")
        return members

    def part(self, part, outer):
        """One include or exclude: a system narrowed by the value sets named beside it."""
        members = None
        if "system" in part:
            members = {(part["system"], code) for code in self.of_system(part)}
        for url in part.get("valueSet", []):
            other = self.value_set(url, outer)
            members = other if members is None else members & other
        return members or set()

    def of_system(self, part):
        if "concept" in part:
            return {c["code"] for c in part["concept"]}
        system = self.systems.get(part["system"])
        if system is None:
            raise Unknown("the package does not hold the system " + part["system"])
        if system.get("content") != "complete":
            raise Unknown("the package holds the system %s only as %s" % (part["system"], system.get("content")))
        concepts = flatten(system.get("concept", []), ())
        codes = {code for code, (concept, _) in concepts.items() if not has_property(concept, "notSelectable", "true")}
        for wanted in part.get("filter", []):
            codes &= filtered(concepts, wanted)
        return codes


def flatten(concepts, ancestors):
    """code → (concept, ancestors): parents by nesting and by the properties that name them."""
    found = {}
    for concept in concepts:
        found[concept["code"]] = (concept, ancestors)
        found.update(flatten(concept.get("concept", []), ancestors + (concept["code"],)))
    if ancestors:
        return found
    parents = {code: set(above[-1:]) for code, (_, above) in found.items()}
    for code, (concept, _) in found.items():
        for p in concept.get("property", []):
            if p["code"] in ("subsumedBy", "parent"):
                parents[code].add(p["valueCode"])
    return {code: (concept, closure(code, parents)) for code, (concept, _) in found.items()}


def closure(code, parents):
    above, open_codes = set(), [code]
    while open_codes:
        for parent in parents.get(open_codes.pop(), ()):
            if parent not in above:
                above.add(parent)
                open_codes.append(parent)
    return above


def filtered(concepts, wanted):
    prop, op, value = wanted["property"], wanted["op"], wanted["value"]
    if prop == "concept" and op in ("is-a", "descendent-of", "is-not-a"):
        below = {code for code, (_, above) in concepts.items() if value in above}
        if op == "descendent-of":
            return below
        below.add(value)
        return below if op == "is-a" else set(concepts) - below
    if prop in ("code", "concept") and op == "regex":
        return {code for code in concepts if re.fullmatch(value, code)}
    if op == "=":
        return {code for code, (concept, _) in concepts.items() if has_property(concept, prop, value)}
    raise Unknown("filter %s %s %s" % (prop, op, value))


def has_property(concept, prop, value):
    for p in concept.get("property", []):
        if p["code"] == prop:
            for key, found in p.items():
                if key.startswith("value") and str(found).lower() == value.lower():
                    return True
    return False
