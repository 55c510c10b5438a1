-- Counting from the index: parts of fhir.search_count and of _total=estimate.

CREATE FUNCTION fhir.index_count("table" regclass, query fhir.query, clauses fhir.query[] DEFAULT '{}') RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000 AS 'MODULE_PATHNAME', 'fhir_index_count';
COMMENT ON FUNCTION fhir.index_count(regclass, fhir.query, fhir.query[]) IS
    'the number of rows of a table that satisfy the search, from its GIN index; NULL where only count(*) can tell. The clauses are the same search in parts, the narrow ones first, which GIN scans faster';

CREATE FUNCTION fhir.index_estimate("table" regclass, query fhir.query) RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'fhir_index_estimate';
COMMENT ON FUNCTION fhir.index_estimate(regclass, fhir.query) IS
    'about how many rows of a table satisfy the search, by a few look-ups in its GIN index; NULL where that may not be told';
