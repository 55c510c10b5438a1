"""Loads the release of ICD-10-CM that simple_icd_10_cm carries and asks the lake what the package answers too."""
import os
import random
import subprocess
import sys
import time

import simple_icd_10_cm as icd

SYSTEM = "http://hl7.org/fhir/sid/icd-10-cm"
LAKE = "icd"


def ask(sql):
    """The rows of the last statement, each a list of texts."""
    run = subprocess.run([*os.environ["PSQL"].split(), "-qAtX", "-v", "ON_ERROR_STOP=1"], input=sql, capture_output=True, text=True)
    if run.returncode:
        sys.exit(run.stderr[:2000])
    return [line.split("|") for line in run.stdout.splitlines()]


def name_of(code):
    return " ".join(icd.get_description(code, prioritize_blocks=False).split())


def is_code(code):
    return "-" not in code and len(code) >= 3 and code[0].isalpha()


passed = failed = 0


def check(name, found, expected):
    global passed, failed
    if found == expected:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {name}: found {str(found)[:200]}, expected {str(expected)[:200]}")


codes = list(dict.fromkeys(code for code in icd.get_all_codes(with_dots=True) if is_code(code)))
# The server reads the codes from a table: a file may be out of its reach.
ask(f"""
DROP SCHEMA IF EXISTS {LAKE} CASCADE;
DROP TABLE IF EXISTS public.icd_lines;
SELECT fhir.create_lake('{LAKE}');
CREATE TABLE public.icd_lines (n int GENERATED ALWAYS AS IDENTITY, code text, parent text, display text);
COPY public.icd_lines (code, parent, display) FROM stdin;
""" + "".join(
    f"{code}\t{parent if is_code(parent) and parent != code else chr(92) + 'N'}\t{name_of(code)}\n"
    for code, parent in ((code, icd.get_parent(code, prioritize_blocks=False)) for code in codes)
) + "\\.\n")
start = time.time()
loaded = ask(f"SELECT concepts FROM fhir.load_code_system('{SYSTEM}', 'SELECT code, parent, display FROM public.icd_lines ORDER BY n', 'query', '2026', lake => '{LAKE}')")
print(f"loaded {len(codes)} codes in {time.time() - start:.1f} s")
check("concepts", loaded, [[str(len(codes))]])

random.seed(1)
sample = ["E11", "E11.9", "T36.0X1A", "S59.119", "B10", *random.sample(codes, 200)]
values = ",".join(f"('{code}')" for code in sample)
for code, below in ask(f"SELECT c, (SELECT string_agg(s, ',' ORDER BY s COLLATE \"C\") FROM fhir.subsumed('{SYSTEM}', c, '{LAKE}') s) FROM (VALUES {values}) v (c)"):
    expected = sorted({code, *(other for other in icd.get_descendants(code, prioritize_blocks=False) if is_code(other))})
    check(f"below {code}", below.split(","), expected)
for code, above in ask(f"SELECT c, (SELECT string_agg(s, ',' ORDER BY s COLLATE \"C\") FROM fhir.subsuming('{SYSTEM}', c, '{LAKE}') s) FROM (VALUES {values}) v (c)"):
    expected = sorted({code, *(other for other in icd.get_ancestors(code, prioritize_blocks=False) if is_code(other))})
    check(f"above {code}", above.split(","), expected)
for code, display in ask(f"SELECT c, l.display FROM (VALUES {values}) v (c), fhir.lookup('{SYSTEM}', c, lake => '{LAKE}') l"):
    check(f"display of {code}", display, name_of(code))

# One Condition for every tenth code, a search for what is below E11 and for all of a set that has every code.
ask(f"""
SET fhir.lake = '{LAKE}';
INSERT INTO {LAKE}.valueset (resource) VALUES ('{{"resourceType":"ValueSet","url":"urn:all","status":"active","compose":{{"include":[{{"system":"{SYSTEM}"}}]}}}}');
INSERT INTO {LAKE}.condition (resource) SELECT pg_catalog.jsonb_build_object('resourceType', 'Condition', 'subject', '{{"reference":"Patient/1"}}'::jsonb,
    'code', pg_catalog.jsonb_build_object('coding', pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object('system', '{SYSTEM}', 'code', code))))
    FROM public.icd_lines WHERE n % 10 = 0;
INSERT INTO {LAKE}.condition (resource) VALUES ('{{"resourceType":"Condition","subject":{{"reference":"Patient/1"}},"code":{{"coding":[{{"system":"urn:other","code":"E11"}}]}}}}');
ANALYZE {LAKE}.condition;
""")
tenth = codes[9::10]
for search, expected in [
    (f"Condition?code:below={SYSTEM}|E11", sum(code.startswith("E11") for code in tenth)),
    (f"Condition?code:in=urn:all", len(tenth)),
    (f"Condition?code:not-in=urn:all", 1),
]:
    start = time.time()
    found = ask(f"SET fhir.lake = '{LAKE}'; SELECT fhir.search_count('{search}')")
    print(f"{search}: {found[-1][0]} in {(time.time() - start) * 1000:.0f} ms, with a session of its own")
    check(search, found, [[str(expected)]])
ask(f"DROP TABLE public.icd_lines; DROP SCHEMA {LAKE} CASCADE")
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(failed > 0)
