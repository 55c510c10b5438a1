-- Terminology: what value sets hold and what codes subsume, by the definitions in a lake. Read with the rights of the caller.

CREATE FUNCTION fhir.expand(value_set text, lake text DEFAULT fhir.current_lake()) RETURNS TABLE (system text, code text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_expand';
COMMENT ON FUNCTION fhir.expand(text, text) IS
    'the codes of a value set, named by url, url|version or ValueSet/id; a row without a code stands for every code of a system that the lake does not list';

CREATE FUNCTION fhir.subsumed(system text, code text, lake text DEFAULT fhir.current_lake()) RETURNS TABLE (subsumed text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'fhir_subsumed';
COMMENT ON FUNCTION fhir.subsumed(text, text, text) IS
    'the code and all that it subsumes by the code system in the lake; the code alone where the lake does not have the system';

CREATE FUNCTION fhir.subsuming(system text, code text, lake text DEFAULT fhir.current_lake()) RETURNS TABLE (subsuming text)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 10 AS 'MODULE_PATHNAME', 'fhir_subsuming';
COMMENT ON FUNCTION fhir.subsuming(text, text, text) IS
    'the code and all that subsume it by the code system in the lake; the code alone where the lake does not have the system';
