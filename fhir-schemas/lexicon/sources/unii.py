"""FDA UNII: official and brand names of drugs and of substances met in notes."""

import csv
import pathlib
import re

from .names import clean, form, is_acronym, is_code_name, words

SYSTEM = "http://fdasis.nlm.nih.gov"

# lists in brackets behind a name: who calls it so. These are of drugs …
DRUG = {
    "ORANGE BOOK", "VANDF", "INN", "USAN", "JAN", "USP MONOGRAPH", "USP-RS", "MART.", "EMA EPAR", "WHO-IP", "GREEN BOOK", "EP MONOGRAPH",
    "PURPLE BOOK CDER", "NFLIS-DRUG", "JP", "NF", "USP", "CHP",
}
# … and these of other substances that a note may name
OTHER = {"MI", "HSDB", "WHO-DD", "II"}
LATIN = re.compile(r"(?:UM|IS|AS|US|AE|II) ?(?:\S+(?:UM|ATIS|AS|IDUM|ICUM))?$")
BRACKET = re.compile(r"\s*\[([^\]]*)\]$")
COMPONENT = re.compile(r"^(.+?) COMPONENTS? (?:OF )?(.+)$")
CODE = re.compile(r"^(?:[A-Z]{1,6}[- ]?\d{2,}[A-Z0-9/-]*|\d[\d-]*|NSC.*|E-?\d+|[A-Z]+ ?NO\.? ?\d+.*|CI \d+.*|.*\d{4,}.*)$")
SYSTEMATIC = re.compile(r"\(|\)|\{|\.(?:ALPHA|BETA|GAMMA|DELTA|OMEGA|EPSILON|KAPPA|LAMBDA|TAU|MU)\.|\d[,']\d|^\d|-\d|\d-|, (?:\(|[A-Z]-|DL|COMPD|ION)|-$|\+|\^|/|:|;|%|\"")
BIOLOGIC = re.compile(r"ALLERGEN|POLLEN|EXTRACT\b|WHOLE|STRAIN|VIRUS|HUMAN |BACTERI|\bFISH\b|\bSEED|\bROOT\b|\bLEAF\b|\bFLOWER|\bBARK\b|JUICE|HOMEOPATH|RELATED COMPOUND|IMPURITY|LIVE\b", re.I)

# brand and common names that are words of ordinary English or of medicine: no medication by themselves
ORDINARY = set((pathlib.Path(__file__).parent / "ordinary-words.txt").read_text().split())
ORDINARY_FORMS = {form(w) for w in ORDINARY}


def case(name, brand, common=False):
    """Official names are written small, brand names with a capital. The list has capitals only: a name without a vowel, and a
    common name of four letters, is taken for an acronym."""
    if is_acronym(name) and (not re.search("[AEIOUY]", name) or common and len(name) <= 4):
        return name
    return " ".join(w.capitalize() for w in name.split(" ")) if brand else name.lower()


def read(path):
    """UNII → (display, [(text, is brand)], is a drug)"""
    raw = {}
    with open(path, encoding="utf-8", errors="replace") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        for name, kind, unii, display in rows:
            if kind in ("of", "bn", "cn") or kind == "cd" and is_code_name(name):
                raw.setdefault(unii, (display, []))[1].append((kind, name))
    found = {}
    for unii, (display, names) in raw.items():
        lists = {m[1] for _, n in names if (m := BRACKET.search(n))}
        brands = any(k == "bn" or COMPONENT.match(n) for k, n in names)
        official = any(k == "of" for k, _ in names)
        drug = bool(lists & DRUG) or brands
        if not drug and not (official and lists & OTHER) and not len(lists & {"MI", "HSDB", "WHO-DD"}) >= 2:
            continue
        terms = {}
        for kind, name in names:
            if not name.isascii():
                continue
            if kind == "cd":
                terms.setdefault(form(name), (name, False))
                continue
            lists_of_name = BRACKET.search(name)
            if lists_of_name:
                if lists_of_name[1] not in DRUG | OTHER:
                    continue
                name = name[: lists_of_name.start()]
            component = COMPONENT.match(name)
            brand = kind == "bn"
            if brand and not lists & DRUG and not COMPONENT.match(name):
                continue  # a pesticide's or a scent's
            if component:
                name, brand = component[1], True
            name = clean(re.sub(r"\s*\((?:VET|OTC|WHO-IP|GENERIC)\)", "", name))
            if kind == "cn" and not component and not lists_of_name and (words(name) > 3 or not drug):
                continue
            if CODE.match(name) or SYSTEMATIC.search(name) or words(name) > 6 or len(name) < 3 or not re.search("[A-Z]", name):
                continue
            if kind == "cn" and not component and LATIN.search(name) and " " in name and not re.search(r"\b(?:CALCIUM|SODIUM|POTASSIUM|MAGNESIUM|LITHIUM)\b", name):
                continue
            if BIOLOGIC.search(name) and not (brand or kind == "of"):
                continue
            if "," in name:
                parts = name.split(", ")
                if len(parts) != 2 or brand:
                    continue
                name = f"{parts[1]} {parts[0]}" if kind == "cn" else f"{parts[0]} {parts[1]}"
            if is_acronym(name) and len(name) < (3 if kind == "cn" else 4):
                continue
            key = form(name)
            if not key or key in ORDINARY_FORMS or name.lower() in ORDINARY:
                continue
            if key not in terms or (terms[key][1] and not brand):
                terms[key] = (case(name, brand, kind == "cn" and not lists_of_name), brand)
        if terms:
            found[unii] = (case(display, False), list(terms.values()), drug)
    return found
