-- Paths that name one place are looked up together for all columns of a row. They must say what evaluation says (which the third argument
-- asks for), on documents of any form: as they should be and as they should not, small, compressed, stored elsewhere, of several types.
SET timezone = 'UTC';
SET search_path = public, fhir;
CREATE TABLE doc (n integer PRIMARY KEY, r jsonb);
INSERT INTO doc VALUES
    (1, '{"resourceType": "Observation", "id": "o", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6", "display": "S"}, {"code": "2"}], "text": "t"}, "subject": {"reference": "Patient/a"}, "effectiveDateTime": "2020-05-17T10:00:00+02:00", "issued": "2020-05-17T10:00:00.5Z", "valueQuantity": {"value": 120.50, "unit": "mmHg"}, "category": [{"coding": [{"code": "c1"}]}, {"coding": [{"code": "c2"}]}], "component": [{"code": {"text": "x"}, "valueInteger": 7}]}'),
    (2, '{"resourceType": "Observation", "status": "final", "category": [{"text": "none"}, {"coding": [{"code": "c2"}]}], "code": {"coding": []}, "subject": {"reference": "http://x.org/fhir/Patient/b/_history/2"}, "effectiveDateTime": "2020", "valueBoolean": false}'),
    (3, '{"resourceType": "Observation", "status": null, "_status": {"extension": [{"url": "u", "valueCode": "x"}]}, "code": {"coding": {"code": "one"}}, "subject": {"reference": "Group/a"}, "effectivePeriod": {"start": "2020-02", "end": "2021-01-01"}, "valueString": "é", "valueQuantity": {"value": 1}}'),
    (4, '{"resourceType": "Observation", "_status": {"id": "x"}, "code": [{"coding": [{"code": "a"}]}, {"coding": [{"code": "b"}]}], "subject": "Patient/a", "effectiveDateTime": ["2020-01-01"], "category": {"coding": [[{"code": "deep"}]]}, "component": [null, {"valueInteger": 8}]}'),
    (5, '{"resourceType": "Observation", "status": {"value": 1}, "code": {"coding": [null, {"code": "b"}]}, "valueInteger": 5000000000, "effectiveDateTime": 5, "issued": "soon", "valueTime": "12:00:01.25", "category": [], "component": []}'),
    (6, '{"resourceType": "Patient", "id": "p", "active": false, "birthDate": "1970-06", "multipleBirthInteger": 3, "name": [{"family": "F", "given": [null, "G"], "_given": [{"id": "i"}, null]}, {"given": ["H"]}], "maritalStatus": {"text": "m"}, "managingOrganization": {"reference": "#o"}}'),
    (7, '{"resourceType": "Patient", "_active": {"id": "x"}, "active": "yes", "birthDate": "1970-06-01T10:00:00Z", "multipleBirthInteger": 3.5, "name": {"family": ["F1", "F2"], "given": "G"}, "managingOrganization": {"reference": "Organization/o", "type": "Organization"}}'),
    (8, '{"resourceType": "Nothing", "status": "s", "id": "n"}'), (9, '{"status": "s"}'), (10, '[]'), (11, '"Observation"'), (12, '{"resourceType": 5, "status": "s"}'), (13, '{}');
-- compressed, and stored elsewhere
INSERT INTO doc SELECT n + 100, r || jsonb_build_object('note', jsonb_build_array(jsonb_build_object('text', repeat('long ' || n, 2000)))) FROM doc WHERE n < 10;
INSERT INTO doc SELECT n + 200, r || jsonb_build_object('note', (SELECT jsonb_agg(jsonb_build_object('text', md5(n || ' ' || m))) FROM generate_series(1, 500) m)) FROM doc WHERE n < 10;
CREATE TABLE asked (expression text);
INSERT INTO asked VALUES ('status'), ('id'), ('code.text'), ('code.coding.first().code'), ('code.coding[0].display'), ('code.coding[1].code'), ('category.first().coding.first().code'),
    ('category.coding.first().code'), ('subject.reference'), ('subject.getReferenceKey()'), ('subject.getReferenceKey(Patient)'), ('effective.ofType(dateTime)'), ('effective.ofType(Period).start'),
    ('effective'), ('issued'), ('value.ofType(Quantity).value'), ('value.ofType(Quantity)'), ('value.ofType(string)'), ('value.ofType(integer)'), ('value.ofType(boolean)'), ('value.ofType(time)'),
    ('component.first().value.ofType(integer)'), ('component.first().code.text'), ('active'), ('birthDate'), ('multipleBirth.ofType(integer)'), ('name.first().family'), ('name.first().given.first()'),
    ('name[0].family'), ('Patient.name.first().family'), ('Observation.status'), ('maritalStatus.text'), ('managingOrganization.getReferenceKey(Organization)'), ('code.coding.first().system.single()'),
    ('note.first().text'), ('$this.status'), ('resourceType');
-- what a function says on the rows, or the error
CREATE FUNCTION said(function text, expression text, variables text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
BEGIN
    EXECUTE format('SELECT string_agg(concat_ws('' '', n, fhir.%1$I(r, %2$L%3$s), fhir.path_text(r, %2$L%3$s) IS NULL), '','' ORDER BY n) FROM public.doc WHERE %4$s', function, expression, variables, condition) INTO said;
    RETURN said;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;
CREATE FUNCTION differences(function text, OUT asked bigint, OUT errors bigint, OUT different bigint) LANGUAGE sql AS $$
    -- where one document is an error, each by itself
    WITH together AS (SELECT expression, public.said(function, expression, '', 'true') found, public.said(function, expression, ', ''{}''', 'true') expected FROM public.asked),
        apart AS (SELECT public.said(function, expression, '', 'n = ' || n) found, public.said(function, expression, ', ''{}''', 'n = ' || n) expected FROM together, public.doc WHERE length(expected) = 5)
    SELECT count(*), count(*) FILTER (WHERE length(expected) = 5), count(*) FILTER (WHERE found IS DISTINCT FROM expected) FROM (SELECT found, expected FROM together UNION ALL SELECT * FROM apart) a
$$;
SELECT function, (differences(function)).* FROM unnest('{path_text,path_boolean,path_number,path_integer,path_date,path_timestamp,path_time}'::text[]) function;
-- two tables in one query, and rows in another order than they were stored
SELECT count(*), count(*) FILTER (WHERE path_text(a.r, 'id') IS DISTINCT FROM a.r ->> 'id' OR path_text(b.r, 'status') IS DISTINCT FROM path_text(b.r, 'status', '{}'))
FROM doc a CROSS JOIN doc b;
SELECT md5(string_agg(concat_ws(',', path_text(r, 'id'), path_text(r, 'status'), path_date(r, 'birthDate')), ';' ORDER BY md5(n::text)))
     = md5(string_agg(concat_ws(',', path_text(r, 'id', '{}'), path_text(r, 'status', '{}'), path_date(r, 'birthDate', '{}')), ';' ORDER BY md5(n::text))) FROM doc;
-- in PL/pgSQL, whose expressions live as long as the transaction
DO $$
DECLARE
    one public.doc;
BEGIN
    FOR one IN SELECT * FROM public.doc ORDER BY n LOOP
        IF fhir.path_text(one.r, 'status') IS DISTINCT FROM fhir.path_text(one.r, 'status', '{}') THEN
            RAISE WARNING '% differs', one.n;
        END IF;
    END LOOP;
END $$;
DROP FUNCTION differences, said;
DROP TABLE doc, asked;
