-- Keys and queries: what a resource can be found by, the operator |= ("satisfies"), and the GIN operator class.
-- fhir.keys is to a resource what tsvector is to a document, fhir.query what tsquery is to a search.

CREATE TYPE fhir.keys;

CREATE FUNCTION fhir.keys_in(cstring) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_keys_in';
CREATE FUNCTION fhir.keys_out(fhir.keys) RETURNS cstring
    LANGUAGE c STABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'fhir_keys_out';
CREATE FUNCTION fhir.keys_recv(internal) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_keys_recv';
CREATE FUNCTION fhir.keys_send(fhir.keys) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'fhir_keys_send';

CREATE TYPE fhir.keys (
    INPUT = fhir.keys_in,
    OUTPUT = fhir.keys_out,
    RECEIVE = fhir.keys_recv,
    SEND = fhir.keys_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = main
);
COMMENT ON TYPE fhir.keys IS 'what a FHIR resource can be found by: the values of its search parameters';
COMMENT ON FUNCTION fhir.keys_in(cstring) IS 'I/O';
COMMENT ON FUNCTION fhir.keys_out(fhir.keys) IS 'I/O';
COMMENT ON FUNCTION fhir.keys_recv(internal) IS 'I/O';
COMMENT ON FUNCTION fhir.keys_send(fhir.keys) IS 'I/O';

CREATE TYPE fhir.query;

CREATE FUNCTION fhir.query_in(cstring) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_query_in';
CREATE FUNCTION fhir.query_out(fhir.query) RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF AS 'MODULE_PATHNAME', 'fhir_query_out';

CREATE TYPE fhir.query (
    INPUT = fhir.query_in,
    OUTPUT = fhir.query_out,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON TYPE fhir.query IS 'a FHIR search that one resource can answer by itself: [Type?]parameter[:modifier]=value&…';
COMMENT ON FUNCTION fhir.query_in(cstring) IS 'I/O';
COMMENT ON FUNCTION fhir.query_out(fhir.query) IS 'I/O';

CREATE FUNCTION fhir.query(text) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_query_from_text';
COMMENT ON FUNCTION fhir.query(text) IS 'reads a FHIR search; errors: 22023 if it is not one, 0A000 if a row cannot answer it by itself';

-- Implicit, so that parameters bound as text or varchar by a driver work beside the operator.
CREATE CAST (text AS fhir.query) WITH FUNCTION fhir.query(text) AS IMPLICIT;
CREATE CAST (varchar AS fhir.query) WITH FUNCTION fhir.query(text) AS IMPLICIT;
COMMENT ON CAST (text AS fhir.query) IS 'for parameters bound as text';
COMMENT ON CAST (varchar AS fhir.query) IS 'for parameters bound as varchar';

CREATE FUNCTION fhir.keys(jsonb) RETURNS fhir.keys
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 200 AS 'MODULE_PATHNAME', 'fhir_keys';
COMMENT ON FUNCTION fhir.keys(jsonb) IS 'the keys of a FHIR resource; never raises: what is malformed gives no keys';

CREATE FUNCTION fhir.occurred(jsonb) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 200 AS 'MODULE_PATHNAME', 'fhir_occurred';
COMMENT ON FUNCTION fhir.occurred(jsonb) IS 'where the clinical time of a resource begins, as the column occurred has it; -infinity if it does not say';

CREATE FUNCTION fhir.show_keys(fhir.keys) RETURNS TABLE (parameter text, type text, element integer, value text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 30 AS 'MODULE_PATHNAME', 'fhir_show_keys';
COMMENT ON FUNCTION fhir.show_keys(fhir.keys) IS 'the values inside keys, one row each, for people to read';

CREATE FUNCTION fhir.reference_id(keys fhir.keys, parameter text, type text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 3 AS 'MODULE_PATHNAME', 'fhir_reference_id';
COMMENT ON FUNCTION fhir.reference_id(fhir.keys, text, text) IS 'id of the first resource of that type to which the search parameter points by a relative reference';

CREATE FUNCTION fhir.reference_ids(keys fhir.keys, parameter text, type text) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 4 AS 'MODULE_PATHNAME', 'fhir_reference_ids';
COMMENT ON FUNCTION fhir.reference_ids(fhir.keys, text, text) IS 'ids of all resources of that type to which the search parameter points by relative references';

CREATE FUNCTION fhir.sort_key(keys fhir.keys, parameter text, descending boolean) RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 3 AS 'MODULE_PATHNAME', 'fhir_sort_key';
COMMENT ON FUNCTION fhir.sort_key(fhir.keys, text, boolean) IS
    'what to order by for _sort: the lowest value of the search parameter, or for descending the highest, as bytes; NULL where it has none';

CREATE FUNCTION fhir.matches(fhir.keys, fhir.query) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 50 AS 'MODULE_PATHNAME', 'fhir_matches';
COMMENT ON FUNCTION fhir.matches(fhir.keys, fhir.query) IS 'whether the resource of these keys satisfies the search';

CREATE FUNCTION fhir.match_selectivity(internal, oid, internal, integer) RETURNS double precision
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_match_selectivity';
COMMENT ON FUNCTION fhir.match_selectivity(internal, oid, internal, integer) IS 'restriction estimator of |=: looks the keys up in the index while planning';

CREATE OPERATOR fhir.|= (
    LEFTARG = fhir.keys,
    RIGHTARG = fhir.query,
    FUNCTION = fhir.matches,
    RESTRICT = fhir.match_selectivity,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR fhir.|= (fhir.keys, fhir.query) IS 'satisfies the FHIR search';

-- Inlined by the planner into fhir.keys(doc) |= query, so that an expression index on fhir.keys(doc) serves it.
CREATE FUNCTION fhir.matches(jsonb, fhir.query) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 25
    AS 'SELECT fhir.keys($1) OPERATOR(fhir.|=) $2';
COMMENT ON FUNCTION fhir.matches(jsonb, fhir.query) IS 'whether the resource satisfies the search';

CREATE OPERATOR fhir.|= (
    LEFTARG = jsonb,
    RIGHTARG = fhir.query,
    FUNCTION = fhir.matches,
    RESTRICT = contsel,
    JOIN = contjoinsel
);
COMMENT ON OPERATOR fhir.|= (jsonb, fhir.query) IS 'satisfies the FHIR search';

CREATE FUNCTION fhir.gin_extract_value(fhir.keys, internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_gin_extract_value';
COMMENT ON FUNCTION fhir.gin_extract_value(fhir.keys, internal, internal) IS 'GIN support';

CREATE FUNCTION fhir.gin_extract_query(fhir.keys, internal, smallint, internal, internal, internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_gin_extract_query';
COMMENT ON FUNCTION fhir.gin_extract_query(fhir.keys, internal, smallint, internal, internal, internal, internal) IS 'GIN support';

CREATE FUNCTION fhir.gin_triconsistent(internal, smallint, fhir.keys, integer, internal, internal, internal) RETURNS "char"
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_gin_triconsistent';
COMMENT ON FUNCTION fhir.gin_triconsistent(internal, smallint, fhir.keys, integer, internal, internal, internal) IS 'GIN support';

CREATE FUNCTION fhir.gin_compare_partial(bytea, bytea, smallint, internal) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_gin_compare_partial';
COMMENT ON FUNCTION fhir.gin_compare_partial(bytea, bytea, smallint, internal) IS 'GIN support';

CREATE OPERATOR CLASS fhir.keys_ops
    DEFAULT FOR TYPE fhir.keys USING gin AS
    OPERATOR 1 fhir.|= (fhir.keys, fhir.query),
    FUNCTION 1 byteacmp(bytea, bytea),
    FUNCTION 2 fhir.gin_extract_value(fhir.keys, internal, internal),
    FUNCTION 3 fhir.gin_extract_query(fhir.keys, internal, smallint, internal, internal, internal, internal),
    FUNCTION 5 fhir.gin_compare_partial(bytea, bytea, smallint, internal),
    FUNCTION 6 fhir.gin_triconsistent(internal, smallint, fhir.keys, integer, internal, internal, internal),
    STORAGE bytea;
COMMENT ON OPERATOR CLASS fhir.keys_ops USING gin IS 'one index for every FHIR search parameter';
COMMENT ON OPERATOR FAMILY fhir.keys_ops USING gin IS 'one index for every FHIR search parameter';
