-- FHIRPath. With two arguments the functions are immutable, so indexes and generated columns can stand on them, and an expression
-- that asks the time is refused; with variables they are stable.

CREATE FUNCTION fhir.path_support(internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_support';
COMMENT ON FUNCTION fhir.path_support(internal) IS
    'for the planner: makes it load the library, which then looks up in the index what conditions on these functions imply (fhir.pushdown)';

CREATE FUNCTION fhir.path(resource jsonb, expression text) RETURNS SETOF jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_path';
COMMENT ON FUNCTION fhir.path(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, one row each, elements as they stand in it; errors: 42601 if it is no FHIRPath, 42703 or 42704 for an element or type that does not exist, 42804 and 21000 for values that do not fit, 54000 beyond fhir.path_steps, 0A000 if it asks the time';

CREATE FUNCTION fhir.path(resource jsonb, expression text, variables jsonb) RETURNS SETOF jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 ROWS 3 AS 'MODULE_PATHNAME', 'fhir_path';
COMMENT ON FUNCTION fhir.path(jsonb, text, jsonb) IS
    'as fhir.path(resource, expression), with values for %names: fhir.path(resource, ''Patient.name.where(use = %use)'', ''{"use": "official"}''); now() and today() are those of the statement';

CREATE FUNCTION fhir.path_array(resource jsonb, expression text) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_array';
COMMENT ON FUNCTION fhir.path_array(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as one JSON array; errors as fhir.path';

CREATE FUNCTION fhir.path_array(resource jsonb, expression text, variables jsonb) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_array';
COMMENT ON FUNCTION fhir.path_array(jsonb, text, jsonb) IS
    'as fhir.path_array(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_exists(resource jsonb, expression text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_exists';
COMMENT ON FUNCTION fhir.path_exists(jsonb, text) IS
    'whether a FHIRPath expression gives anything on a resource, and be it false; fhir.path_boolean tells whether it is true; errors as fhir.path';

CREATE FUNCTION fhir.path_exists(resource jsonb, expression text, variables jsonb) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_exists';
COMMENT ON FUNCTION fhir.path_exists(jsonb, text, jsonb) IS
    'as fhir.path_exists(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_boolean(resource jsonb, expression text) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 SUPPORT fhir.path_support AS 'MODULE_PATHNAME', 'fhir_path_boolean';
COMMENT ON FUNCTION fhir.path_boolean(jsonb, text) IS
    'a FHIRPath expression as a condition: NULL where it gives nothing, and a single value that is no boolean counts as true; errors as fhir.path';

CREATE FUNCTION fhir.path_boolean(resource jsonb, expression text, variables jsonb) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_boolean';
COMMENT ON FUNCTION fhir.path_boolean(jsonb, text, jsonb) IS
    'as fhir.path_boolean(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_text(resource jsonb, expression text) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 SUPPORT fhir.path_support AS 'MODULE_PATHNAME', 'fhir_path_text';
COMMENT ON FUNCTION fhir.path_text(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, as text; what has parts as JSON; errors as fhir.path';

CREATE FUNCTION fhir.path_text(resource jsonb, expression text, variables jsonb) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_text';
COMMENT ON FUNCTION fhir.path_text(jsonb, text, jsonb) IS
    'as fhir.path_text(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_number(resource jsonb, expression text) RETURNS numeric
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_number';
COMMENT ON FUNCTION fhir.path_number(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a number or quantity, with every digit; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_number(resource jsonb, expression text, variables jsonb) RETURNS numeric
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_number';
COMMENT ON FUNCTION fhir.path_number(jsonb, text, jsonb) IS
    'as fhir.path_number(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_date(resource jsonb, expression text) RETURNS date
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 SUPPORT fhir.path_support AS 'MODULE_PATHNAME', 'fhir_path_date';
COMMENT ON FUNCTION fhir.path_date(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a date or date-time: its day in its own zone, of a month or year the first; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_date(resource jsonb, expression text, variables jsonb) RETURNS date
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_date';
COMMENT ON FUNCTION fhir.path_date(jsonb, text, jsonb) IS
    'as fhir.path_date(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_timestamp(resource jsonb, expression text) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 SUPPORT fhir.path_support AS 'MODULE_PATHNAME', 'fhir_path_timestamp';
COMMENT ON FUNCTION fhir.path_timestamp(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a date or date-time: its first instant, in UTC where it names no zone; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_timestamp(resource jsonb, expression text, variables jsonb) RETURNS timestamptz
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_timestamp';
COMMENT ON FUNCTION fhir.path_timestamp(jsonb, text, jsonb) IS
    'as fhir.path_timestamp(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_integer(resource jsonb, expression text) RETURNS integer
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_integer';
COMMENT ON FUNCTION fhir.path_integer(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a whole number; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_integer(resource jsonb, expression text, variables jsonb) RETURNS integer
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_integer';
COMMENT ON FUNCTION fhir.path_integer(jsonb, text, jsonb) IS
    'as fhir.path_integer(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_time(resource jsonb, expression text) RETURNS time
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_time';
COMMENT ON FUNCTION fhir.path_time(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, where it is a time of day; else NULL; errors as fhir.path';

CREATE FUNCTION fhir.path_time(resource jsonb, expression text, variables jsonb) RETURNS time
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_time';
COMMENT ON FUNCTION fhir.path_time(jsonb, text, jsonb) IS
    'as fhir.path_time(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_json(resource jsonb, expression text) RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_json';
COMMENT ON FUNCTION fhir.path_json(jsonb, text) IS
    'the first that a FHIRPath expression gives on a resource, as it stands in it; errors as fhir.path';

CREATE FUNCTION fhir.path_json(resource jsonb, expression text, variables jsonb) RETURNS jsonb
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 30 AS 'MODULE_PATHNAME', 'fhir_path_json';
COMMENT ON FUNCTION fhir.path_json(jsonb, text, jsonb) IS
    'as fhir.path_json(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_texts(resource jsonb, expression text) RETURNS text[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_texts';
COMMENT ON FUNCTION fhir.path_texts(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of text; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_texts(resource jsonb, expression text, variables jsonb) RETURNS text[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_texts';
COMMENT ON FUNCTION fhir.path_texts(jsonb, text, jsonb) IS
    'as fhir.path_texts(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_booleans(resource jsonb, expression text) RETURNS boolean[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_booleans';
COMMENT ON FUNCTION fhir.path_booleans(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of booleans; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_booleans(resource jsonb, expression text, variables jsonb) RETURNS boolean[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_booleans';
COMMENT ON FUNCTION fhir.path_booleans(jsonb, text, jsonb) IS
    'as fhir.path_booleans(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_numbers(resource jsonb, expression text) RETURNS numeric[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_numbers';
COMMENT ON FUNCTION fhir.path_numbers(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of numbers; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_numbers(resource jsonb, expression text, variables jsonb) RETURNS numeric[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_numbers';
COMMENT ON FUNCTION fhir.path_numbers(jsonb, text, jsonb) IS
    'as fhir.path_numbers(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_integers(resource jsonb, expression text) RETURNS integer[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_integers';
COMMENT ON FUNCTION fhir.path_integers(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of whole numbers; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_integers(resource jsonb, expression text, variables jsonb) RETURNS integer[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_integers';
COMMENT ON FUNCTION fhir.path_integers(jsonb, text, jsonb) IS
    'as fhir.path_integers(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_dates(resource jsonb, expression text) RETURNS date[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_dates';
COMMENT ON FUNCTION fhir.path_dates(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of dates; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_dates(resource jsonb, expression text, variables jsonb) RETURNS date[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_dates';
COMMENT ON FUNCTION fhir.path_dates(jsonb, text, jsonb) IS
    'as fhir.path_dates(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_timestamps(resource jsonb, expression text) RETURNS timestamptz[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_timestamps';
COMMENT ON FUNCTION fhir.path_timestamps(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of instants; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_timestamps(resource jsonb, expression text, variables jsonb) RETURNS timestamptz[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_timestamps';
COMMENT ON FUNCTION fhir.path_timestamps(jsonb, text, jsonb) IS
    'as fhir.path_timestamps(resource, expression), with values for %names';

CREATE FUNCTION fhir.path_times(resource jsonb, expression text) RETURNS time[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_times';
COMMENT ON FUNCTION fhir.path_times(jsonb, text) IS
    'all that a FHIRPath expression gives on a resource, as an array of times of day; NULL in the place of what is no such value; errors as fhir.path';

CREATE FUNCTION fhir.path_times(resource jsonb, expression text, variables jsonb) RETURNS time[]
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 50 AS 'MODULE_PATHNAME', 'fhir_path_times';
COMMENT ON FUNCTION fhir.path_times(jsonb, text, jsonb) IS
    'as fhir.path_times(resource, expression), with values for %names';

-- What the planner writes into plans where a condition on a function above is looked up in the index.

CREATE FUNCTION fhir.recheck_support(internal) RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_recheck_support';
COMMENT ON FUNCTION fhir.recheck_support(internal) IS 'for the planner: what is rechecked holds of nearly all rows that the index found';

CREATE FUNCTION fhir.recheck(boolean) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 0.1 SUPPORT fhir.recheck_support AS 'MODULE_PATHNAME', 'fhir_recheck';
COMMENT ON FUNCTION fhir.recheck(boolean) IS 'the condition itself; in plans it stands around one that a search in the same plan looks up in the index';

CREATE FUNCTION fhir.path_query(type text, function text, expression text, operator text, value text) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_query_text';
COMMENT ON FUNCTION fhir.path_query(text, text, text, text, text) IS
    'a search that finds all resources of the type of which function(resource, expression) operator value holds; it may find more';

CREATE FUNCTION fhir.path_query(type text, function text, expression text, operator text, value date) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_query_date';
COMMENT ON FUNCTION fhir.path_query(text, text, text, text, date) IS 'as fhir.path_query(…, value text)';

CREATE FUNCTION fhir.path_query(type text, function text, expression text, operator text, value timestamp) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_query_timestamp';
COMMENT ON FUNCTION fhir.path_query(text, text, text, text, timestamp) IS 'as fhir.path_query(…, value text)';

CREATE FUNCTION fhir.path_query(type text, function text, expression text, operator text, value timestamptz) RETURNS fhir.query
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'fhir_path_query_timestamptz';
COMMENT ON FUNCTION fhir.path_query(text, text, text, text, timestamptz) IS 'as fhir.path_query(…, value text)';
