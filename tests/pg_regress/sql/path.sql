-- Question: what does fhir.path give in SQL, and how does it refuse?
\set SHOW_CONTEXT never
SET search_path = public, fhir;
SET timezone = 'UTC';
CREATE TABLE t (n int, r jsonb);
INSERT INTO t VALUES
  (1, '{"resourceType":"Patient","id":"a","active":true,"birthDate":"1974-12-25","name":[{"use":"official","family":"Chalmers","given":["Peter","James"]},{"use":"usual","given":["Jim"]}],"extension":[{"url":"http://x.org/w","valueDecimal":70.10}],"managingOrganization":{"reference":"Organization/1"}}'),
  (2, '{"resourceType":"Observation","id":"b","status":"final","code":{"text":"weight"},"effectiveDateTime":"2020-02-29T10:30:00+02:00","valueQuantity":{"value":185.00,"unit":"lbs","system":"http://unitsofmeasure.org","code":"[lb_av]"}}'),
  (3, '{"resourceType":"Patient","id":"c","birthDate":"1974","_birthDate":{"extension":[{"url":"u","valueCode":"v"}]},"active":false}'),
  (4, NULL);

-- values
SELECT n, path(r, 'name.given') FROM t ORDER BY n;
SELECT n, path_array(r, 'name.family | code.text | birthDate') FROM t ORDER BY n;
SELECT n, path_exists(r, 'active'), path_boolean(r, 'active'), path_boolean(r, 'birthDate') FROM t ORDER BY n;
SELECT n, path_text(r, 'name.where(use = ''official'').given.join('' '')'), path_text(r, 'value'), path_text(r, 'value.value') FROM t ORDER BY n;
SELECT n, path_number(r, 'value'), path_number(r, 'extension(''http://x.org/w'').value'), path_number(r, 'name.count()') FROM t ORDER BY n;
SELECT n, path_date(r, 'birthDate | effective'), path_date(r, 'birthDate.lowBoundary()'), path_timestamp(r, 'effective'), path_timestamp(r, 'birthDate') FROM t ORDER BY n;
SELECT path(r, 'value = 185 ''[lb_av]'''), path(r, 'value.toQuantity(''kg'')'), path(r, '2 ''mg'' * 3'), path(r, 'value.type()') FROM t WHERE n = 2;
SELECT path(r, 'managingOrganization.resolve() is Organization'), path(r, 'managingOrganization.getReferenceKey(Organization)') FROM t WHERE n = 1;
SELECT path('{"resourceType":"Patient","multipleBirthInteger":12345678901234567890123456789012345678901234567890}', 'multipleBirth');
SELECT path('{"a":[{"b":1},{"b":2.50}]}', 'a.where(b > 2).b');

-- the time, and variables
SELECT path_boolean(r, 'birthDate < today()') FROM t WHERE n = 1;
SELECT path_boolean(r, 'birthDate < today() and now() > @2020', '{}') FROM t WHERE n = 1;
SELECT path_timestamp(r, 'now()', '{}') = date_trunc('milliseconds', statement_timestamp()) FROM t WHERE n = 1;
SELECT n, path_array(r, 'name.where(use in %use).given', '{"use": ["usual", "old"]}') FROM t WHERE n = 1;
SELECT path(r, 'name.where(use = %use)') FROM t WHERE n = 1;
SELECT path(r, 'id', '3') FROM t WHERE n = 1;

-- refusals tell the place
SET fhir.path_steps = 200000;
DO $$
DECLARE
    expression text; state text; message text; hint text;
BEGIN
    FOREACH expression IN ARRAY ARRAY['name.', 'Patient.nam', 'name.frob()', 'name is Nam', 'name.given + 1', 'name.given.matches(''(?=a)'')', 'active + 1',
        'name.given.matches(birthDate & ''('')', '''a''.encode(''x'')', repeat('(', 100), 'descendants().descendants().descendants()',
        '(1|2|3|4|5|6|7|8|9).repeatAll($this + 1)', 'Patient.valueQuantity', '%x', 'conformsTo(''http://x.org/p'')'] LOOP
        BEGIN
            PERFORM fhir.path_exists(r, expression || CASE WHEN expression ~ 'repeat' THEN '.count() = 1' ELSE '' END) FROM t WHERE n = 1;
            RAISE NOTICE '% is fine', expression;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
            RAISE NOTICE '% [%] %', state, left(message, 90), hint;
        END;
    END LOOP;
END
$$;
SET fhir.path_steps = 5;
SELECT path_exists(r, 'descendants().where(false)') FROM t WHERE n = 1;
RESET fhir.path_steps;
SET fhir.path_steps = 2147483647;
SET statement_timeout = '300ms';
SELECT path_exists(r, repeat('(1|2|3|4|5|6|7|8|9).select(', 12) || 'false' || repeat(')', 12) || '.where($this)') FROM t WHERE n = 1;
RESET statement_timeout;
RESET fhir.path_steps;

-- it can be indexed, and runs in parallel
CREATE INDEX ON t (path_text(r, 'name.family.first()'));
SELECT proname, count(*), bool_and(proparallel = 's' AND proisstrict), string_agg(DISTINCT provolatile::text, '' ORDER BY provolatile::text)
FROM pg_proc WHERE pronamespace = 'fhir'::regnamespace AND proname ~ '^path(_(array|boolean|date|exists|number|text|timestamp))?$' GROUP BY 1 ORDER BY 1;
DROP TABLE t;
