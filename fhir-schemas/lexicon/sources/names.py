"""What the sources share: the normal form of a name (as src/nlp/token.rs makes it), names turned round, acronyms, plain words."""

import functools
import re
import unicodedata

MAX_WORDS = 8

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "κ": "kappa", "λ": "lambda", "μ": "mu",
    "ω": "omega", "æ": "ae", "œ": "oe", "ß": "ss", "ø": "o", "ł": "l",
}

TOKEN = re.compile(r"\d(?:[.,]?\d)*|[^\W\d_](?:['’](?=[A-Za-z])|[^\W_])*|[^\s\w]|_")


@functools.cache
def word_form(word):
    """Normal form of one word: see `normal` in src/nlp/token.rs."""
    word = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c)).lower()
    word = "".join(GREEK.get(c, c) for c in word).replace("’", "'")
    if word.endswith("'s"):
        word = word[:-2]
    word = word.replace("'", "")
    if len(word) >= 5:
        word = word.replace("ae", "e").replace("oe", "e").replace("sulph", "sulf")
        if word.endswith("our") and len(word) > 5:
            word = word[:-3] + "or"
        elif word.endswith("ours") and len(word) > 6:
            word = word[:-4] + "ors"
        elif word.endswith("isation"):
            word = word[:-7] + "ization"
    n = len(word)
    if n < 4 or word[-1] != "s" or word[-2].isdigit() or word[-2] in "su":
        return word
    if word[-2] == "i":
        return word[:-2] if word[-3] in "sx" else word
    if word[-2] == "e":
        if n > 4 and word[-3] == "i":
            return word[:-3] + "y"
        if word[-3] in "sx" and n > 5 and not word.endswith("sses"):
            return word[:-2]
        if word.endswith(("sses", "ches", "shes", "zes")):
            return word[:-2]
        return word[:-1]
    return word[:-1]


def tokens(name):
    return TOKEN.findall(name)


@functools.cache
def form(name):
    """The words by which a name is found, without hyphens and slashes."""
    return " ".join(word_form(t) for t in tokens(name) if t not in "-/\u2010\u2011\u2012\u2013\u2014\u2212")


def words(name):
    return sum(1 for t in tokens(name) if t[0].isalnum())


# parts that stand behind a comma as people write them: "diabetes mellitus, type 2"
STAYS = re.compile(r"^(?:type|stage|grade|class|group|phase|types|no|nos|[ivx]+[ab]?|\d.*|[a-z])$|^(?:type|stage|grade|class) ", re.I)
JOINED = re.compile(r"\b(?:and|or|with|without|due|in|of|by|to|from|not|other|except|including)\b", re.I)


def turned(name):
    """A name with its parts in the order people say them: "Insufficiency, Tricuspid Valve" → "Tricuspid Valve Insufficiency".
    None if that cannot be told."""
    parts = name.split(", ")
    if len(parts) == 1:
        return name
    if len(parts) > 3 or any(not p for p in parts):
        return None
    if STAYS.match(parts[-1]):
        head = turned(", ".join(parts[:-1]))
        return head and head + " " + parts[-1]
    if any(JOINED.search(p) for p in parts[1:]):
        return None
    return " ".join(reversed(parts))


ACRONYM = re.compile(r"^[A-Z][A-Z0-9]{1,5}$")


def is_acronym(name):
    """All capitals, at most six letters."""
    return bool(ACRONYM.match(name)) and sum(c.isalpha() for c in name) >= 2


CODE_NAME = re.compile(r"^[A-Z][A-Za-z]{0,4}[- ]?\d{3,6}[A-Z]?$|^[A-Z]{2,5}[- ]?\d{2,6}[A-Z]?$")


def is_code_name(name):
    """The code name of a substance that is investigated: MK-801, FK506."""
    return bool(CODE_NAME.match(name)) and not name.startswith("NSC")


def code_names(name):
    """A code name as it is written: MK-801 (or MK 801) and MK801."""
    letters, number = re.match(r"([A-Za-z]+)[- ]?(.*)", name).groups()
    return [f"{letters}-{number}", letters + number]


def clean(name):
    return re.sub(r"\s+", " ", name.replace("\t", " ")).strip(" ,;")
