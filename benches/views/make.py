#!/usr/bin/env python3
"""Clones the Observations and Patients of an NDJSON file: as benches/search/make.py, but so many of each type.

    make.py FILE.ndjson[.xz] FOLDER OBSERVATIONS PATIENTS

Writes FOLDER/observation.ndjson and FOLDER/patient.ndjson.
"""

import lzma
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "search"))
import make  # noqa: E402


def main(file, folder, observations, patients):
    opened = lzma.open if file.endswith(".xz") else open
    with opened(file, "rt", encoding="utf-8") as lines:
        templates = [make.Template(line.rstrip("\n"), number) for number, line in enumerate(lines)]
    for type, size in (("Observation", observations), ("Patient", patients)):
        of_type = [template for template in templates if template.type == type]
        with open(f"{folder}/{type.lower()}.ndjson", "w", encoding="utf-8") as out:
            written, number = 0, 0
            while written < size:
                filling = make.clone(number)
                for template in of_type[: size - written]:
                    out.write(template.filled(*filling) + "\n")
                written += min(len(of_type), size - written)
                number += 1


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
