"""ICD-10-CM: the tabular list as XML → concepts with the names that people write."""

import re
import xml.etree.ElementTree as xml

from .names import clean, form, is_acronym, words

SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"

# Chapters 20 (external causes) and 21 (reasons for contact) name no conditions; U is for special use but for COVID-19.
LEFT_OUT = re.compile(r"^(?:[VWXYZ]|U(?!07|09))")
# Signs (seen, measured) and symptoms (felt) of chapter 18 and what is a symptom elsewhere.
SYMPTOM = re.compile(
    r"^(?:R05|R06\.[0-4]|R06\.6|R06\.7|R06\.8|R07|R0[01]\.2|R10|R11|R12|R13|R14|R15|R19\.[6-8]|R2[07]|R25\.[2]|R26\.2|R29\.[68]"
    r"|R30|R32|R33|R35|R39\.1|R4[0-7]|R49|R5[0-5]|R61|R63|R68\.[2-8]|M25\.5|M25\.6|M54\.[25689]|M79\.[16]|M62\.[8]38|H57\.1|H92\.0|H93\.1|K59\.0"
    r"|N64\.4|L29|N94\.[46]|G44\.2|H53\.1|H53\.2|F51\.0|G47\.0)"
)


def kind(code):
    if SYMPTOM.match(code):
        return "SYMPTOM"
    return "SIGN" if code.startswith("R") and not re.match(r"R(?:57|65|95|99)", code) else "DX_NAME"


UNSPECIFIED = [
    (re.compile(p, re.I), r)
    for p, r in [
        (r", (?:so stated|not elsewhere classified|NEC)\b", ""),
        (r"(?:,| and)? unspecified(?: (?:organism|type|site|cause|as to [a-z ]+|whether [a-z ]+))?$", ""),
        (r", unspecified (?:as to|whether) .*$", ""),
        (r", unspecified(?=,| )", ""),
        (r"\bunspecified (?=\w)", ""),
        (r", unspecified [a-z]+$", ""),
        (r",? NOS\b", ""),
        (r" \[?NEC\]?$", ""),
        (r", without (?:mention of )?(?:complications?|status migrainosus|current pathological fracture)\b.*$", ""),
    ]
]


def plain(name):
    """A name without what only a classification says."""
    for pattern, by in UNSPECIFIED:
        name = pattern.sub(by, name)
    return clean(name)


NOT_A_NAME = re.compile(
    r"^(?:other|others|certain|any|conditions? (?:classif|in)|unspecified|infections? with a predom|codes?|encounter|complications? of|mild|moderate|severe|"
    r"noninflammatory|inflammatory|specified|disorders? of|diseases? of|sequelae|type 1|type 2|primary|secondary|acute|chronic|bilateral|unilateral|"
    r"right|left|drug|late|early|congenital|recurrent|partial|complete|total|simple|complex|closed|open|atypical|typical|nonspecific|localized|generalized|"
    r"diffuse|focal|persistent|transient|single|multiple|severe|active|inactive|no|not|with|without|due|in|by|from|adult|child|male|female|juvenile)$"
    r"|^other\b|elsewhere|\bspecified\b|classified|unspecified|^use additional|^code |trimester|not applicable|\bNOS\b|^any |\bless than\b|\bor more\b|\bpercent\b|%"
    r"|^encounter for|^personal history|^family history|^with |^without |^due to |^in diseases|^by |^other |^conditions |^of |^and |^underdosing|^adverse effect"
    r"|^initial|^subsequent|^sequela|^superficial|^body region|^site |^malignant neoplasm of other|overlapping|\bcode\b|^exposure|^term |^the |accidental\)|undetermined",
    re.I,
)

CANCER = re.compile(r"^(?:primary )?malignant neoplasm of (?:the )?(.+)$", re.I)


def variants(name):
    """The names that are made of one: without brackets, with cancer for malignant neoplasm, and so on."""
    name = clean(name)
    out = []
    for inner in re.findall(r"\[([^\]]+)\]", name):
        if is_acronym(inner) or words(inner) >= 2:
            out.append(inner)
    base = plain(re.sub(r"\s*\[[^\]]*\]", "", name))
    out.append(re.sub(r"\s*\([^)]*\)", "", base))
    # each word in round brackets may be said
    for inner in re.findall(r"\(([^)]+)\)", base)[:6]:
        if words(inner) <= 2 and not re.search(r"acute|chronic|\bwith|due|to\b|s$|^e?s$|\d", inner):
            rest = re.sub(r"\s*\([^)]*\)", "", re.sub(re.escape(f"({inner})"), inner, base, count=1))
            out.append(rest)
    for text in list(out):
        match = CANCER.match(text)
        if match and words(match[1]) <= 4:
            site = match[1]
            out.append(f"cancer of {site}")
            if " of " not in site and "," not in site and " and " not in site:
                out.append(f"{site} cancer")
        parts = text.split(" and ")
        if len(parts) == 2 and words(parts[0]) == 1 and words(parts[1]) == 1 and text.istitle():
            out.extend(parts)
    return [clean(t) for t in out]


def usable(name):
    return bool(name) and words(name) <= 8 and not NOT_A_NAME.search(name) and len(name) > 2 and name.count("(") == 0 and name.count(",") <= 1


class Code:
    __slots__ = ("code", "name", "terms", "children", "parent")

    def __init__(self, code, name, parent):
        self.code, self.name, self.parent = code, name, parent
        self.terms, self.children = [], []


def read(path):
    """All codes of the tabular list, in its order."""
    codes = {}

    def diag(element, parent):
        code = Code(element.findtext("name").strip(), clean(element.findtext("desc") or ""), parent)
        codes[code.code] = code
        if parent:
            parent.children.append(code)
        code.terms.append(code.name)
        for tag in ("inclusionTerm", "includes"):
            for block in element.findall(tag):
                code.terms.extend(clean(note.text or "") for note in block.findall("note"))
        for child in element.findall("diag"):
            diag(child, code)

    for element in xml.parse(path).getroot().iter("section"):
        for child in element.findall("diag"):
            diag(child, None)
    return codes


def leaf(code):
    """The code that a coder takes for a category when nothing more is said: its `unspecified` child that has the same name."""
    for _ in range(5):
        name = form(re.sub(r"^other ", "", plain(code.name), flags=re.I))
        same = [c for c in code.children if form(plain(c.name)) == name or form(plain(c.name).split(" without complication")[0]) == name]
        same.sort(key=lambda c: "unspecified" not in c.name)
        if not same:
            return code
        code = same[0]
    return code


def concepts(path):
    """code → (display, kind, terms); a category's names go to its unspecified child."""
    codes = read(path)
    found = {}
    for code in codes.values():
        if LEFT_OUT.match(code.code):
            continue
        target = leaf(code)
        terms = found.setdefault(target.code, [])
        for name in code.terms:
            if name == code.name and len(code.code) > 6:
                continue  # the seventh character says side and healing: nobody writes it so
            for text in variants(name):
                if usable(text):
                    terms.append(text)
    return codes, {c: (codes[c].name, kind(c), t) for c, t in found.items()}
