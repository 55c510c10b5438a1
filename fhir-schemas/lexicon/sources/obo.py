"""DOID and MONDO: diseases with their cross-references to ICD-10-CM and MeSH. No other cross-reference is taken."""

import json
import re

from .names import clean, form, is_acronym, turned, words

DOID = "http://purl.obolibrary.org/obo/doid.owl"
MONDO = "http://purl.obolibrary.org/obo/mondo.owl"

TAKEN = {"ICD10CM", "MESH", "DOID"}
NO_NAME = re.compile(r"obsolete|\bNOS\b|not elsewhere|non-human|\(disease\)|morphologic abnormality|\bICD|^susceptibility|disorder \(|unspecified|, susceptibility", re.I)


def read(path, prefix):
    """id → (name, names, {namespace: [ids]}, parents)"""
    found = {}
    with open(path, encoding="utf-8") as file:
        for term in json.load(file):
            number = term["id"].split(":")[-1]
            xrefs = {}
            for xref in term.get("xrefs", []):
                if xref["namespace"] in TAKEN:
                    xrefs.setdefault(xref["namespace"], []).append(xref["id"].split(":")[-1])
            names, seen = [], set()
            for name in [term["name"]] + term.get("synonyms", []):
                name = clean(re.sub(r"\s*\((?:disease|disorder|finding)\)", "", name))
                if NO_NAME.search(name) or "(" in name:
                    continue
                for text in {name if ", " not in name else None, turned(name)} - {None}:
                    key = form(text)
                    # a short synonym is an acronym, whatever its letters
                    if len(text) <= 4 and text != term["name"]:
                        continue
                    if key and key not in seen and words(text) <= 8 and len(text) > 2:
                        seen.add(key)
                        names.append(text)
            parents = [p.split(":")[-1] for p in term.get("relations", {}).get("is_a", [])]
            found[f"{prefix}:{number}"] = (term["name"], names, xrefs, [f"{prefix}:{p}" for p in parents])
    return found
