-- Validation, and a domain over jsonb for each resource type.

CREATE FUNCTION fhir.resource_types() RETURNS SETOF text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 150 AS 'MODULE_PATHNAME', 'fhir_resource_types';
COMMENT ON FUNCTION fhir.resource_types() IS 'the concrete resource types of FHIR R4';

-- Never raise, so a row-security barrier need not hold them back.
CREATE FUNCTION fhir.is_valid(resource jsonb) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 50 AS 'MODULE_PATHNAME', 'fhir_is_valid';
COMMENT ON FUNCTION fhir.is_valid(jsonb) IS
    'whether it is a FHIR R4 resource with a valid structure: elements, cardinality, formats, choice types, reference targets, required codes';

CREATE FUNCTION fhir.is_valid(resource jsonb, type text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 50 AS 'MODULE_PATHNAME', 'fhir_is_valid_of';
COMMENT ON FUNCTION fhir.is_valid(jsonb, text) IS 'whether it is a resource of that type with a valid structure';

CREATE FUNCTION fhir.issues(resource jsonb)
    RETURNS TABLE (severity text, code text, expression text, details text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_issues';
COMMENT ON FUNCTION fhir.issues(jsonb) IS
    'what is wrong with the structure of a resource and where, in the terms of an OperationOutcome; no row for a valid one';

-- What the domains check. It raises instead of returning false because a domain can only say which constraint failed, while
-- this says which element is wrong. The price: pg_input_is_valid() and COPY … ON_ERROR of later servers cannot catch it;
-- ask fhir.is_valid() of a plain jsonb there.
CREATE FUNCTION fhir.assert_valid(resource jsonb, type text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_assert_valid';
COMMENT ON FUNCTION fhir.assert_valid(jsonb, text) IS
    'true for a valid resource of that type (of any, where it is NULL), NULL for NULL; else raises 23514 with the first issues';

CREATE DOMAIN fhir.resource AS jsonb
    CONSTRAINT resource_is_valid CHECK (fhir.assert_valid(VALUE, NULL));
COMMENT ON DOMAIN fhir.resource IS 'a structurally valid FHIR R4 resource of any type';

-- One domain for each type. Its name is that of the type but for Bundle, since fhir.bundle('…') is a function, and Postgres would
-- take a literal that is called like a type for a cast. What a DO block makes while an extension is created belongs to the extension as well.
DO $$
DECLARE
    type text;
    domain text;
BEGIN
    FOR type IN SELECT fhir.resource_types() LOOP
        domain := pg_catalog.format('fhir.%I', CASE type WHEN 'Bundle' THEN 'bundle_resource' ELSE pg_catalog.lower(type) END);
        EXECUTE pg_catalog.format('CREATE DOMAIN %s AS jsonb CONSTRAINT %I CHECK (fhir.assert_valid(VALUE, %L))',
            domain, pg_catalog.lower(type) OPERATOR(pg_catalog.||) '_is_valid', type);
        EXECUTE pg_catalog.format('COMMENT ON DOMAIN %s IS %L', domain,
            pg_catalog.format('a structurally valid FHIR R4 %s', type));
    END LOOP;
END
$$;
