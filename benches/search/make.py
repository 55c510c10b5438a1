#!/usr/bin/env python3
"""Clones the resources of an NDJSON file until there are as many as asked for.

    make.py FILE.ndjson[.xz] SIZE >rows

Each clone is the whole file with ids of its own, to which all references are rewritten, with all dates shifted by a number
of days and all decimals scaled by at most 2 %. The first clone is the file itself. Clones are whole, so there are a few
resources more than asked for. The same arguments give the same bytes. The output is COPY's text format: type, resource.

What the file lacks and a shape needs is added: CarePlan.instantiatesUri, one of 200.
"""

import datetime
import hashlib
import lzma
import re
import sys

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
PARTS = re.compile(rf'({UUID})|"((?:1[89]|20)\d\d-[01]\d-[0-3]\d)(?=["T])|("value":\d+\.\d+)')


class Template:
    """A line cut at the places that differ between clones."""

    def __init__(self, line, number):
        self.type = re.match(r'\{"resourceType":"(\w+)"', line).group(1)
        if self.type == "CarePlan":
            line = line.replace("{", '{"instantiatesUri":["https://guidelines.example.org/plan/%d"],' % (number % 200), 1)
        self.literals, self.places, end = [], [], 0
        for found in PARTS.finditer(line):
            uuid, date, value = found.groups()
            place = ("id", uuid) if uuid else ("date", date) if date else ("value", value[8:])
            self.literals.append(line[end:found.start()] + ('"' if date else '"value":' if value else ""))
            self.places.append(place)
            end = found.end()
        self.literals.append(line[end:])

    def filled(self, ids, shift, scale):
        out = []
        for literal, (kind, text) in zip(self.literals, self.places):
            out.append(literal)
            out.append(ids(text) if kind == "id" else shift(text) if kind == "date" else scale(text))
        out.append(self.literals[-1])
        return "".join(out)


def remembered(function):
    known = {}

    def call(key):
        value = known.get(key)
        if value is None:
            value = known[key] = function(key)
        return value

    return call


def clone(number):
    """The functions that turn an id, a date and a decimal of the file into those of a clone."""
    if number == 0:
        return (lambda text: text,) * 3
    days = datetime.timedelta(days=number * 977 % 3650 - 1825)
    factor = 1 + (number * 7 % 41 - 20) / 1000

    def identified(text):
        digest = hashlib.md5(f"{number} {text}".encode()).hexdigest()
        return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:]}"

    def shifted(text):
        try:
            return str(datetime.date.fromisoformat(text) + days)
        except ValueError:
            return text

    def scaled(text):
        decimals = len(text.partition(".")[2])
        return f"{float(text) * factor:.{decimals}f}"

    return remembered(identified), remembered(shifted), scaled


def main(file, size):
    opened = lzma.open if file.endswith(".xz") else open
    with opened(file, "rt", encoding="utf-8") as lines:
        templates = [Template(line.rstrip("\n"), number) for number, line in enumerate(lines)]
    # In the order of a lake that grows patient by patient, types in turn, clones last.
    written, number = 0, 0
    while written < size:
        ids, shift, scale = clone(number)
        for template in templates:
            text = template.filled(ids, shift, scale).replace("\\", "\\\\")
            sys.stdout.write(f"{template.type}\t{text}\n")
        written += len(templates)
        number += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
