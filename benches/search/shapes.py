"""The shapes: a FHIR search each, and the SQL that an expert would write for it on the tables of each peer."""

import json

PAGE = 20
LIMIT = PAGE + 1  # one more than a page tells whether there is a next one

EFFECTIVE = "bench.moment(coalesce(resource ->> 'effectiveDateTime', resource #>> '{effectivePeriod,start}'))"
START, END = "bench.moment(resource #>> '{period,start}')", "bench.moment(resource #>> '{period,end}')"
NUMBER = "((resource #>> '{valueQuantity,value}')::numeric)"
UNIT = "(resource #>> '{valueQuantity,code}')"
SUBJECT = "(resource #>> '{subject,reference}')"
A_DATE = """((resource ->> 'effectiveDateTime') COLLATE "C")"""


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


def contains(document, of="resource"):
    return f"{of} @> {literal(json.dumps(document))}"


class Shape:
    """`ours` is the search; `a`, `b` and `c` are statements, or lists of which the fastest counts."""

    def __init__(self, name, ours, a, b, c, parameters=0, goal=False, whole=None):
        self.name, self.ours, self.peers = name, ours, {"a": a, "b": b, "c": c}
        self.parameters = parameters  # 1 or 2: the planner's estimate is judged
        self.goal = goal  # first page under 10 ms
        # Where several statements answer (chains, includes) ours is measured as fhir.search, Bundle and all. It finds a page;
        # "more" tells that the peers' statements find one row more.
        self.whole = whole


def page(table, condition, order="id", limit=LIMIT):
    return f"SELECT id, resource FROM bench.{table} WHERE {condition} ORDER BY {order} LIMIT {limit}"


def count(table, condition):
    return f"SELECT count(*) FROM bench.{table} WHERE {condition}"


class Rows:
    """Peer c: conditions on the tables of values. A condition is (table, SQL over its alias)."""

    def __init__(self, numbers):
        self.numbers = numbers

    def p(self, parameter):
        return self.numbers.get(parameter, -1)

    def token(self, parameter, code, system=None):
        codes = f"= {literal(code)}" if isinstance(code, str) else "IN (" + ", ".join(literal(c) for c in code) + ")"
        more = f" AND {{}}.system = {literal(system)}" if system else ""
        return "c_token", f"{{}}.p = {self.p(parameter)} AND {{}}.code {codes}{more}"

    def reference(self, parameter, target):
        return "c_reference", f"{{}}.p = {self.p(parameter)} AND {{}}.target = {literal(target)}"

    def date(self, parameter, low=None, high=None):
        """Points from `low` to before `high`; for periods, what overlaps."""
        parts = [f"{{}}.p = {self.p(parameter)}"]
        parts += [f"{{}}.low >= {literal(low)}"] if low else []
        parts += [f"{{}}.low < {literal(high)}"] if high else []
        return "c_date", " AND ".join(parts)

    def quantity(self, parameter, condition, code=None):
        more = f" AND {{}}.code = {literal(code)}" if code else ""
        return "c_quantity", f"{{}}.p = {self.p(parameter)} AND {{}}.value {condition}{more}"

    def string(self, parameter, condition):
        return "c_string", f"{{}}.p = {self.p(parameter)} AND {condition}"

    def ids(self, first, *others, extra=""):
        table, condition = first
        sql = f"SELECT k.id FROM bench.{table} k WHERE {condition.replace('{}', 'k')}"
        for number, (table, condition) in enumerate(others):
            name = f"k{number}"
            sql += f" AND EXISTS (SELECT FROM bench.{table} {name} WHERE {name}.id = k.id AND {condition.replace('{}', name)})"
        return sql + extra

    def page(self, table, *conditions, extra=""):
        return (f"SELECT r.id, r.resource FROM (SELECT DISTINCT s.id FROM ({self.ids(*conditions, extra=extra)}) s ORDER BY 1 LIMIT {LIMIT}) k "
                f"JOIN bench.{table} r USING (id) ORDER BY r.id")

    def by_date(self, table, date, *conditions, extra=""):
        """Ordered by the date, the latest first."""
        dated, condition = date
        sql = f"SELECT k.id, k.low FROM bench.{dated} k WHERE {condition.replace('{}', 'k')}{extra}"
        for number, (other, condition) in enumerate(conditions):
            name = f"k{number}"
            sql += f" AND EXISTS (SELECT FROM bench.{other} {name} WHERE {name}.id = k.id AND {condition.replace('{}', name)})"
        return (f"SELECT r.id, r.resource FROM ({sql} ORDER BY k.low DESC, k.id LIMIT {LIMIT}) k "
                f"JOIN bench.{table} r USING (id) ORDER BY k.low DESC, r.id")

    def alternatives(self, table, parameter, codes):
        """A page of what has any of the codes: the first of each, in order, merged."""
        array = "ARRAY[" + ", ".join(map(literal, codes)) + "]"
        return (f"SELECT r.id, r.resource FROM (SELECT DISTINCT s.id FROM unnest({array}) code, LATERAL (SELECT k.id FROM bench.c_token k "
                f"WHERE k.p = {self.p(parameter)} AND k.code = code.code ORDER BY k.id LIMIT {LIMIT}) s ORDER BY 1 LIMIT {LIMIT}) k "
                f"JOIN bench.{table} r USING (id) ORDER BY r.id")

    def count(self, *conditions):
        return f"SELECT count(*) FROM (SELECT DISTINCT s.id FROM ({self.ids(*conditions)}) s) d"


VALUE_SET = "https://example.org/ValueSet/thousand"


def thousand_codes(v):
    """Forty codes of observations, without the most frequent, and others that none has."""
    frequent = ("72514-3", "8302-2", "29463-7", "55284-4", "72166-2")
    codes = [code for code in v["all_codes"] if code not in frequent][:40]
    return codes + [f"{number}-{number % 10}" for number in range(100000, 101000 - len(codes))]


def value_set(v):
    """A statement that stores them as a ValueSet."""
    include = {"system": "http://loinc.org", "concept": [{"code": code} for code in thousand_codes(v)]}
    resource = {"resourceType": "ValueSet", "id": "thousand", "url": VALUE_SET, "status": "active", "compose": {"include": [include]}}
    return f"INSERT INTO lake.valueset (resource) VALUES ({literal(json.dumps(resource))}) ON CONFLICT (type, id) DO NOTHING"


def shapes(v):
    """All shapes, for the values that values.sql found."""
    c = Rows(v["parameters"])
    patient, encounter = f"Patient/{v['patient']}", f"Encounter/{v['encounter']}"
    coding = lambda code, system=None: {"code": code, **({"system": system} if system else {})}
    a_code = lambda code, system=None: contains({"code": {"coding": [coding(code, system)]}})
    b_code = lambda code, system=None: contains([coding(code, system)], "(resource #> '{code,coding}')")
    a_category = lambda code: contains({"category": [{"coding": [coding(code)]}]})
    b_category = lambda code: contains([{"coding": [coding(code)]}], "(resource -> 'category')")
    a_subject = contains({"subject": {"reference": patient}})
    b_subject = f"{SUBJECT} = {literal(patient)}"
    o_code = lambda code, system=None: c.token("Observation.code", code, system)
    o_category = lambda code: c.token("Observation.category", code)
    o_patient = c.reference("Observation.patient", patient)
    loinc = "http://loinc.org"
    found = []

    def add(*args, **kwargs):
        found.append(Shape(*args, **kwargs))

    def observations(name, search, a, b, conditions, **kwargs):
        """A page of observations in the order of their ids."""
        add(name, f"Observation?{search}&_count={PAGE}", page("observation", a), page("observation", b),
            c.page("observation", *conditions), **kwargs)

    # --- tokens -----------------------------------------------------------------------------------------------------
    hospital = "http://hospital.smarthealthit.org"
    identifier = {"system": hospital, "value": v["mrn"]}
    add("identifier", f"Patient?identifier={hospital}|{v['mrn']}&_count={PAGE}",
        page("patient", contains({"identifier": [identifier]})),
        page("patient", contains([identifier], "(resource -> 'identifier')")),
        c.page("patient", c.token("Patient.identifier", v["mrn"], hospital)), parameters=1, goal=True)
    add("identifier, value only", f"Patient?identifier={v['ssn']}&_count={PAGE}",
        page("patient", contains({"identifier": [{"value": v["ssn"]}]})),
        page("patient", contains([{"value": v["ssn"]}], "(resource -> 'identifier')")),
        c.page("patient", c.token("Patient.identifier", v["ssn"])), parameters=1, goal=True)
    observations("token, rare", "code=28245-9", a_code("28245-9"), b_code("28245-9"), [o_code("28245-9")], parameters=1, goal=True)
    observations("token, frequent (7 %)", "code=72514-3", a_code("72514-3"), b_code("72514-3"), [o_code("72514-3")], parameters=1, goal=True)
    observations("token, all rows", "status=final", contains({"status": "final"}), "resource ->> 'status' = 'final'",
                 [c.token("Observation.status", "final")], parameters=1, goal=True)
    observations("token with system", f"code={loinc}|2339-0", a_code("2339-0", loinc), b_code("2339-0", loinc),
                 [o_code("2339-0", loinc)], parameters=1, goal=True)
    observations("token + token, frequent", "code=2339-0&category=laboratory", f"{a_code('2339-0')} AND {a_category('laboratory')}",
                 f"{b_code('2339-0')} AND {b_category('laboratory')}", [o_code("2339-0"), o_category("laboratory")], parameters=2, goal=True)
    add("token + token, rare", f"Condition?code=38341003&clinical-status=active&_count={PAGE}",
        page("condition", a_code("38341003") + " AND " + contains({"clinicalStatus": {"coding": [{"code": "active"}]}})),
        page("condition", b_code("38341003") + " AND " + contains([{"code": "active"}], "(resource #> '{clinicalStatus,coding}')")),
        c.page("condition", c.token("Condition.code", "38341003"), c.token("Condition.clinical-status", "active")), parameters=2, goal=True)
    five = ["8302-2", "29463-7", "2339-0", "28245-9", "71802-3"]
    add("token, five alternatives", "Observation?code=" + ",".join(five) + f"&_count={PAGE}", page("observation", " OR ".join(map(a_code, five))),
        page("observation", " OR ".join(map(b_code, five))),
        [c.page("observation", o_code(five)), c.alternatives("observation", "Observation.code", five)], parameters=1)
    thousand = thousand_codes(v)
    many = "ARRAY[" + ", ".join(map(literal, thousand)) + "]"
    lateral = lambda document, of: (
        f"SELECT r.id, r.resource FROM bench.observation r WHERE r.id IN (SELECT o.id FROM unnest({many}) code, bench.observation o "
        f"WHERE {of} @> {document}) ORDER BY r.id LIMIT {LIMIT}")
    either = literal("$.code.coding[*].code ? (" + " || ".join(f'@ == "{code}"' for code in thousand) + ")")
    one_of_thousand = (
        [lateral("jsonb_build_object('code', jsonb_build_object('coding', jsonb_build_array(jsonb_build_object('code', code))))", "o.resource"),
         page("observation", f"resource @? {either}")],
        [lateral("jsonb_build_array(jsonb_build_object('code', code))", "(o.resource #> '{code,coding}')"),
         page("observation", "(resource #> '{code,coding}') @? " + either.replace("$.code.coding[*]", "$[*]"))],
        [c.page("observation", o_code(thousand)), c.alternatives("observation", "Observation.code", thousand)])
    add("token, 1,000 alternatives", "Observation?code=" + ",".join(thousand) + f"&_count={PAGE}", *one_of_thousand, parameters=1)
    # the peers are spared looking the codes up
    add("token :in a set of 1,000", f"Observation?code:in={VALUE_SET}&_count={PAGE}", *one_of_thousand, whole="more")
    observations("token :not", "category:not=laboratory", f"NOT {a_category('laboratory')}", f"NOT {b_category('laboratory')}",
                 [("observation", f"NOT EXISTS (SELECT FROM bench.c_token n WHERE n.id = {{}}.id AND n.p = {c.p('Observation.category')} AND n.code = 'laboratory')")],
                 parameters=1)
    observations("reference + :not", f"patient={patient}&category:not=laboratory", f"{a_subject} AND NOT {a_category('laboratory')}",
                 f"{b_subject} AND NOT {b_category('laboratory')}",
                 [o_patient, ("observation", f"NOT EXISTS (SELECT FROM bench.c_token n WHERE n.id = {{}}.id AND n.p = {c.p('Observation.category')} AND n.code = 'laboratory')")],
                 parameters=2)
    observations(":missing", "value-quantity:missing=true", "NOT resource ? 'valueQuantity'", f"{NUMBER} IS NULL",
                 [("observation", f"NOT EXISTS (SELECT FROM bench.c_quantity n WHERE n.id = {{}}.id AND n.p = {c.p('Observation.value-quantity')})")],
                 parameters=1)
    add(":missing=false", f"Patient?death-date:missing=false&_count={PAGE}", page("patient", "resource ? 'deceasedDateTime'"),
        page("patient", "bench.moment(resource ->> 'deceasedDateTime') IS NOT NULL"),
        c.page("patient", c.date("Patient.death-date")), parameters=1)

    # --- strings ----------------------------------------------------------------------------------------------------
    def family(name, search, regex, like, condition, **kwargs):
        matched = literal(f'$.name[*].family like_regex "{regex}" flag "i"')
        add(name, f"Patient?{search}&_count={PAGE}", page("patient", f"resource @@ {matched}"),
            page("patient", f"bench.strings(resource, '$.name[*].family') LIKE {literal(like)}"),
            c.page("patient", c.string("Patient.family", condition)), parameters=1, **kwargs)

    family("string, narrow prefix", "family=schad", "^schad", "%^schad%", "{}.normal LIKE 'schad%'", goal=True)
    family("string, broad prefix", "family=h", "^h", "%^h%", "{}.normal LIKE 'h%'", goal=True)
    family("string :exact", "family:exact=O'Hara", "^O'Hara$", "%^o'hara^%", "{}.normal = 'o''hara' AND {}.exact = 'O''Hara'")
    names = literal('$.name[*].* like_regex "berg" flag "i"')
    add("string :contains", f"Patient?name:contains=berg&_count={PAGE}", page("patient", f"resource @@ {names}"),
        page("patient", "bench.strings(resource, '$.name[*].*[*]') LIKE '%berg%'"),
        c.page("patient", c.string("Patient.name", "{}.normal LIKE '%berg%'")), parameters=1)
    born = ("1960-01-01", "1970-01-01")
    add("birthdate range + gender", f"Patient?birthdate=ge{born[0]}&birthdate=lt{born[1]}&gender=female&_count={PAGE}",
        page("patient", contains({"gender": "female"}) + f" AND (resource ->> 'birthDate') COLLATE \"C\" >= '{born[0]}' AND (resource ->> 'birthDate') COLLATE \"C\" < '{born[1]}'"),
        page("patient", f"resource ->> 'gender' = 'female' AND bench.moment(resource ->> 'birthDate') >= '{born[0]}' AND bench.moment(resource ->> 'birthDate') < '{born[1]}'"),
        c.page("patient", c.date("Patient.birthdate", *born), c.token("Patient.gender", "female")))

    # --- references -------------------------------------------------------------------------------------------------
    observations("reference", f"subject={patient}", a_subject, b_subject, [c.reference("Observation.subject", patient)], parameters=1, goal=True)
    observations("two references", f"patient={patient}&encounter={encounter}", a_subject + " AND " + contains({"encounter": {"reference": encounter}}),
                 f"{b_subject} AND (resource #>> '{{encounter,reference}}') = {literal(encounter)}",
                 [c.reference("Observation.encounter", encounter), o_patient], parameters=2)
    observations("patient + code", f"patient={patient}&code=8302-2", f"{a_subject} AND {a_code('8302-2')}", f"{b_subject} AND {b_code('8302-2')}",
                 [o_patient, o_code("8302-2")], parameters=2, goal=True)
    newest = f"{EFFECTIVE} DESC, id"
    a_newest = f"{A_DATE} DESC, id"
    o_date = c.date("Observation.date")
    add("patient + category, newest first", f"Observation?patient={patient}&category=laboratory&_sort=-date&_count={PAGE}",
        page("observation", f"{a_subject} AND {a_category('laboratory')}", a_newest),
        page("observation", f"{b_subject} AND {b_category('laboratory')}", newest),
        c.by_date("observation", o_date, o_patient, o_category("laboratory")), goal=True)
    add("patient + date range", f"Observation?patient={patient}&date=ge{v['year']}&date=lt{v['year'] + 1}&_count={PAGE}",
        page("observation", f"{a_subject} AND {A_DATE} >= '{v['year']}' AND {A_DATE} < '{v['year'] + 1}'"),
        page("observation", f"{b_subject} AND {EFFECTIVE} >= '{v['year']}-01-01' AND {EFFECTIVE} < '{v['year'] + 1}-01-01'"),
        c.page("observation", o_patient, c.date("Observation.date", f"{v['year']}-01-01", f"{v['year'] + 1}-01-01")))

    # --- dates and numbers ------------------------------------------------------------------------------------------
    def between(low, high):
        return f"{A_DATE} >= '{low}' AND {A_DATE} < '{high}'", f"{EFFECTIVE} >= '{low}' AND {EFFECTIVE} < '{high}'", c.date("Observation.date", low, high)

    quarter = between("2015-01-01", "2015-04-01")
    observations("code + date range", "code=2339-0&date=ge2015-01-01&date=lt2015-04-01", f"{a_code('2339-0')} AND {quarter[0]}",
                 f"{b_code('2339-0')} AND {quarter[1]}", [o_code("2339-0"), quarter[2]], goal=True)
    a_number = "(resource #>> '{valueQuantity,value}')::numeric"
    observations("code + value range", "code=2339-0&value-quantity=gt110", f"{a_code('2339-0')} AND {a_number} > 110",
                 f"{b_code('2339-0')} AND {NUMBER} > 110", [o_code("2339-0"), c.quantity("Observation.value-quantity", "> 110")], parameters=2, goal=True)
    observations("composite", f"code-value-quantity={loinc}|2339-0$gt110", f"{a_code('2339-0', loinc)} AND {a_number} > 110",
                 f"{b_code('2339-0', loinc)} AND {NUMBER} > 110", [o_code("2339-0", loinc), c.quantity("Observation.value-quantity", "> 110")], parameters=1)
    ucum = "http://unitsofmeasure.org"
    observations("quantity range", f"value-quantity=gt190|{ucum}|cm", contains({"valueQuantity": {"code": "cm", "system": ucum}}) + f" AND {a_number} > 190",
                 f"{UNIT} = 'cm' AND {NUMBER} > 190", [c.quantity("Observation.value-quantity", "> 190", "cm")], parameters=1)
    observations("date, wide", "date=ge2010", f"{A_DATE} >= '2010'", f"{EFFECTIVE} >= '2010-01-01'", [c.date("Observation.date", "2010-01-01")], parameters=1)
    year, month, day = v["day"].split("-")
    following = f"{year}-{month}-{int(day) + 1:02}"
    narrow = between(v["day"], following)
    observations("date, one day", f"date={v['day']}", narrow[0], narrow[1], [narrow[2]], parameters=1)
    whole = between("2016-01-01", "2017-01-01")
    add("date range, newest first", f"Observation?date=ge2016-01-01&date=lt2017-01-01&_sort=-date&_count={PAGE}",
        page("observation", whole[0], a_newest), page("observation", whole[1], newest), c.by_date("observation", whole[2]))
    add("frequent token, newest first", f"Observation?category=laboratory&_sort=-date&_count={PAGE}",
        page("observation", a_category("laboratory"), a_newest), page("observation", b_category("laboratory"), newest),
        c.by_date("observation", o_date, o_category("laboratory")))
    add("rare token, newest first", f"Observation?code=28245-9&_sort=-date&_count={PAGE}",
        page("observation", a_code("28245-9"), a_newest), page("observation", b_code("28245-9"), newest),
        c.by_date("observation", o_date, o_code("28245-9")))
    add("uri", f"CarePlan?instantiates-uri=https://guidelines.example.org/plan/34&_count={PAGE}",
        page("careplan", contains({"instantiatesUri": ["https://guidelines.example.org/plan/34"]})),
        page("careplan", contains(["https://guidelines.example.org/plan/34"], "(resource -> 'instantiatesUri')")),
        c.page("careplan", ("c_uri", f"{{}}.p = {c.p('CarePlan.instantiates-uri')} AND {{}}.uri = 'https://guidelines.example.org/plan/34'")), parameters=1)

    # --- columns ----------------------------------------------------------------------------------------------------
    low, high = v["updated_low"], v["updated_high"]
    updated = page("observation", f"last_updated >= '{low}' AND last_updated < '{high}'", "last_updated DESC, id")
    add("_lastUpdated range, newest first", f"Observation?_lastUpdated=ge{low}&_lastUpdated=lt{high}&_sort=-_lastUpdated&_count={PAGE}",
        updated, updated, updated, goal=True)
    ids = page("observation", "id IN (" + ", ".join(map(literal, v["ids"])) + ")")
    add("_id, ten", "Observation?_id=" + ",".join(v["ids"]) + f"&_count={PAGE}", ids, ids, ids)

    # --- pages ------------------------------------------------------------------------------------------------------
    observations("page 1", "category=laboratory", a_category("laboratory"), b_category("laboratory"), [o_category("laboratory")], parameters=1, goal=True)
    after = f"id > {literal(v['deep_id'])}"
    add("page 1,000", ("Observation?category=laboratory", 1000), page("observation", f"{a_category('laboratory')} AND {after}"),
        page("observation", f"{b_category('laboratory')} AND {after}"), c.page("observation", o_category("laboratory"), extra=f" AND k.{after}"), goal=True)
    moment, last = v["deep_date"]
    behind = lambda date, key: f"{date} <= '{moment}' AND ({date} < '{moment}' OR {key} > {literal(last)})"
    a_moment = moment[:19]
    add("page 1,000, newest first", ("Observation?category=laboratory&_sort=-date", 1000),
        page("observation", f"{a_category('laboratory')} AND {A_DATE} <= '{moment}' AND ({A_DATE} < '{a_moment}' OR id > {literal(last)})", a_newest),
        page("observation", f"{b_category('laboratory')} AND {behind(EFFECTIVE, 'id')}", newest),
        c.by_date("observation", o_date, o_category("laboratory"), extra=" AND " + behind("k.low", "k.id")))

    # --- chains -----------------------------------------------------------------------------------------------------
    def chain(name, search, a_inner, b_inner, c_inner, table="observation", a_more="", b_more="", c_more=(), **kwargs):
        """Resources of `table` whose subject is a patient that meets the inner condition."""
        kind = {"observation": "Observation", "encounter": "Encounter"}[table]
        a_loop = (f"SELECT o.id, o.resource FROM bench.patient p, bench.{table} o WHERE {a_inner.replace('resource', 'p.resource')}"
                  f" AND o.resource @> jsonb_build_object('subject', jsonb_build_object('reference', 'Patient/' || p.id)){a_more.replace('resource', 'o.resource')} ORDER BY o.id LIMIT {LIMIT}")
        joined = lambda inner, more: page(table, f"{SUBJECT} IN (SELECT 'Patient/' || p.id FROM bench.patient p WHERE {inner.replace('resource', 'p.resource')}){more}")
        reference = ("c_reference", f"{{}}.p = {c.p(kind + '.subject')} AND {{}}.target IN (SELECT 'Patient/' || s.id FROM ({c.ids(c_inner)}) s)")
        add(name, f"{kind}?{search}&_count={PAGE}", [a_loop, joined(a_inner, a_more)], joined(b_inner, b_more), c.page(table, reference, *c_more), whole="more", **kwargs)

    chain("chain, 2 % of patients", "subject:Patient.family=schad", """resource @@ '$.name[*].family like_regex "^schad" flag "i"'""",
          "bench.strings(resource, '$.name[*].family') LIKE '%^schad%'", c.string("Patient.family", "{}.normal LIKE 'schad%'"))
    chain("chain to one + code", f"subject:Patient.identifier={hospital}|{v['mrn']}&code=8302-2", contains({"identifier": [identifier]}),
          contains([identifier], "(resource -> 'identifier')"), c.token("Patient.identifier", v["mrn"], hospital),
          a_more=f" AND {a_code('8302-2')}", b_more=f" AND {b_code('8302-2')}", c_more=[o_code("8302-2")])
    chain("chain, half of the patients", "subject:Patient.gender=female", contains({"gender": "female"}), "resource ->> 'gender' = 'female'",
          c.token("Patient.gender", "female"), table="encounter")
    add("chain over encounters", f"Observation?encounter:Encounter.type=185349003&code=8302-2&_count={PAGE}",
        page("observation", a_code("8302-2") + " AND (resource #>> '{encounter,reference}') IN (SELECT 'Encounter/' || e.id FROM bench.encounter e WHERE " + contains({"type": [{"coding": [{"code": "185349003"}]}]}, "e.resource") + ")"),
        page("observation", b_code("8302-2") + " AND (resource #>> '{encounter,reference}') IN (SELECT 'Encounter/' || e.id FROM bench.encounter e WHERE " + contains([{"coding": [{"code": "185349003"}]}], "(e.resource -> 'type')") + ")"),
        c.page("observation", ("c_reference", f"{{}}.p = {c.p('Observation.encounter')} AND {{}}.target IN (SELECT 'Encounter/' || s.id FROM ({c.ids(c.token('Encounter.type', '185349003'))}) s)"), o_code("8302-2")), whole="more")

    def has(name, search, kind, code, **kwargs):
        table = kind.lower()
        reverse = lambda condition: f"'Patient/' || id IN (SELECT o.resource #>> '{{subject,reference}}' FROM bench.{table} o WHERE {condition})"
        forward = lambda condition: f"id IN (SELECT substr(o.resource #>> '{{subject,reference}}', 9) FROM bench.{table} o WHERE {condition})"
        a, b = a_code(code).replace("resource", "o.resource", 1), b_code(code).replace("resource", "o.resource", 1)
        inner = c.ids(c.token(f"{kind}.code", code))
        add(name, f"Patient?_has:{kind}:patient:code={code}&_count={PAGE}", page("patient", forward(a)), page("patient", forward(b)),
            f"SELECT r.id, r.resource FROM bench.patient r WHERE r.id IN (SELECT substr(t.target, 9) FROM ({inner}) s JOIN bench.c_reference t ON t.id = s.id AND t.p = {c.p(kind + '.patient')}) ORDER BY r.id LIMIT {LIMIT}",
            whole="more", **kwargs)

    has("_has, rare", "", "Observation", "28245-9")
    has("_has, frequent", "", "Condition", "444814009")

    # --- includes ---------------------------------------------------------------------------------------------------
    def included(matched, more):
        return f"WITH m AS MATERIALIZED ({matched}), n AS (SELECT * FROM m ORDER BY id LIMIT {PAGE}) SELECT id, resource FROM n UNION ALL ({more})"

    reports = [page("diagnosticreport", a_subject), page("diagnosticreport", b_subject), c.page("diagnosticreport", c.reference("DiagnosticReport.patient", patient))]
    results = ("SELECT o.id, o.resource FROM bench.observation o WHERE o.id IN (SELECT substr(i ->> 'reference', 13) FROM n, "
               "jsonb_array_elements(n.resource -> 'result') i)")
    c_results = (f"SELECT o.id, o.resource FROM bench.observation o WHERE o.id IN (SELECT substr(t.target, 13) FROM n JOIN bench.c_reference t "
                 f"ON t.id = n.id AND t.p = {c.p('DiagnosticReport.result')})")
    add("_include", f"DiagnosticReport?patient={patient}&_include=DiagnosticReport:result&_count={PAGE}",
        included(reports[0], results), included(reports[1], results), [included(reports[2], c_results), included(reports[2], results)], goal=True, whole="page")
    visits = [page("encounter", a_subject), page("encounter", b_subject), c.page("encounter", c.reference("Encounter.patient", patient))]
    a_back = "SELECT o.id, o.resource FROM n, bench.condition o WHERE o.resource @> jsonb_build_object('encounter', jsonb_build_object('reference', 'Encounter/' || n.id))"
    b_back = "SELECT o.id, o.resource FROM bench.condition o WHERE (o.resource #>> '{encounter,reference}') IN (SELECT 'Encounter/' || n.id FROM n)"
    c_back = f"SELECT o.id, o.resource FROM n JOIN bench.c_reference t ON t.p = {c.p('Condition.encounter')} AND t.target = 'Encounter/' || n.id JOIN bench.condition o ON o.id = t.id"
    add("_revinclude", f"Encounter?patient={patient}&_revinclude=Condition:encounter&_count={PAGE}",
        included(visits[0], a_back), included(visits[1], b_back), included(visits[2], c_back), goal=True, whole="page")

    # --- counts and several types -----------------------------------------------------------------------------------
    def counted(name, search, a, b, *conditions):
        add(name, f"Observation?{search}&_summary=count", count("observation", a), count("observation", b), c.count(*conditions))

    counted("count, rare", "code=28245-9", a_code("28245-9"), b_code("28245-9"), o_code("28245-9"))
    counted("count, frequent (7 %)", "code=72514-3", a_code("72514-3"), b_code("72514-3"), o_code("72514-3"))
    counted("count, most rows", "category=laboratory", a_category("laboratory"), b_category("laboratory"), o_category("laboratory"))
    counted("count, token + date range", "code=2339-0&date=ge2015-01-01&date=lt2015-04-01", f"{a_code('2339-0')} AND {quarter[0]}",
            f"{b_code('2339-0')} AND {quarter[1]}", o_code("2339-0"), quarter[2])

    def both(condition):
        union = " UNION ALL ".join(f"(SELECT type, id, resource FROM bench.{table} WHERE {condition(table)} ORDER BY id LIMIT {LIMIT})" for table in ("condition", "procedure"))
        return f"SELECT id, resource FROM ({union}) s ORDER BY type, id LIMIT {LIMIT}"

    two = lambda table: f"id IN ({c.ids(c.reference({'condition': 'Condition', 'procedure': 'Procedure'}[table] + '.patient', patient))})"
    add("two types", f"?_type=Condition,Procedure&patient={patient}&_count={PAGE}", both(lambda table: a_subject), both(lambda table: b_subject), both(two))
    return found
