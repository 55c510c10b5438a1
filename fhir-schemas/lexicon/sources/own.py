"""Checks of the files that are written by hand: clinical.txt and abbreviations.tsv."""

import re

from . import icd10cm, mesh, unii
from .names import form


def clinical(path):
    """(line, concept's fields, [(line, text)])"""
    concepts = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("\t")
        if fields[0] == "C":
            concepts.append((number, fields[1:], []))
        elif fields[0] == "T":
            concepts[-1][2].append((number, fields[3]))
    return concepts


def check(folder, tabular, concepts):
    """What is wrong, a line each."""
    own = clinical(folder / "clinical.txt")
    names = {}
    for _, (_, _, category, _, _), terms in own:
        for _, text in terms:
            names.setdefault(form(text), set()).add(category)
    for concept in concepts.values():
        for key in concept.terms:
            names.setdefault(key, set()).add(concept.category)

    for number, (system, code, _, _, display), terms in own:
        where = f"clinical.txt:{number}: {code or display}"
        if not terms:
            yield f"{where}: has no term"
        if system == icd10cm.SYSTEM:
            # injuries have a seventh character, which the tabular list does not spell out
            base = code if code in tabular else re.sub(r"[A-Z]$", "", code).rstrip("X").rstrip(".")
            if base not in tabular:
                yield f"{where}: is no code of ICD-10-CM"
            elif display.removesuffix(", initial encounter") != tabular[base].name:
                yield f"{where}: its display is {tabular[base].name!r}"
        elif system in (unii.SYSTEM, mesh.SYSTEM):
            if (system, code) not in concepts:
                yield f"{where}: is no code of {system}"
            elif system == mesh.SYSTEM and display != concepts[(system, code)].display:
                yield f"{where}: its display is {concepts[(system, code)].display!r}"
        elif system or code:
            yield f"{where}: has a system that is not ours to give"

    for number, line in enumerate((folder / "abbreviations.tsv").read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split("\t")
        if line.startswith("#"):
            continue
        if len(fields) != 5:
            yield f"abbreviations.tsv:{number}: has {len(fields)} fields"
            continue
        for text in fields[1].split("; "):
            if fields[2] not in names.get(form(text), ()):
                yield f"abbreviations.tsv:{number}: {fields[0]}: no term {text!r} of that category"
