-- The patient's view: the whole record, and the record in time order.
-- All run with the rights of the caller, so that grants and row-level security hold.

-- Of one resource --------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.event(resource jsonb)
    RETURNS TABLE ("precision" text, ended timestamptz, until timestamptz, system text, code text, display text, value text,
        unit text, status text, refers_type text, refers_id text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 1 AS 'MODULE_PATHNAME', 'fhir_event';
COMMENT ON FUNCTION fhir.event(jsonb) IS
    'a resource as one line of a record. ended: when it was over, for a date the end of its day, month or year; NULL for a point in time and for what goes on. until: the first moment that it does not reach, infinity where it goes on. refers: the other resource that tells what it is about';

CREATE FUNCTION fhir.until(resource jsonb) RETURNS timestamptz
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'fhir_until';
COMMENT ON FUNCTION fhir.until(jsonb) IS
    'the first moment that the clinical time of a resource does not reach; infinity where it goes on, or does not say';

CREATE FUNCTION fhir.references(resource jsonb) RETURNS TABLE (type text, id text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_references';
COMMENT ON FUNCTION fhir.references(jsonb) IS
    'the resources that a resource points at by relative references, wherever in it, each once';

CREATE FUNCTION fhir.references(resource jsonb, path text) RETURNS TABLE (type text, id text)
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5 AS 'MODULE_PATHNAME', 'fhir_references_at';
COMMENT ON FUNCTION fhir.references(jsonb, text) IS
    'the resources that a resource points at by relative references, from where a FHIRPath expression leads to, such as Composition.section.entry';

-- In time order ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.timeline_sql(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        newest_first boolean DEFAULT true, count integer DEFAULT NULL, lake text DEFAULT fhir.current_lake(),
        as_of timestamptz DEFAULT NULL, findings boolean DEFAULT true) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'fhir_timeline_sql';
COMMENT ON FUNCTION fhir.timeline_sql(text, text, text, text[], boolean, integer, text, timestamptz, boolean) IS
    'the SQL that fhir.timeline runs: for reading, and for EXPLAIN';

CREATE FUNCTION fhir.timeline(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        newest_first boolean DEFAULT true, count integer DEFAULT NULL, lake text DEFAULT fhir.current_lake(),
        as_of timestamptz DEFAULT NULL, findings boolean DEFAULT true)
    RETURNS TABLE (occurred timestamptz, "precision" text, ended timestamptz, type text, system text, code text, display text,
        value text, unit text, status text, id text, version bigint, source text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 ROWS 500
    -- the order is that of the index: where a sort looks cheaper it would still read the whole record before its first line
    SET enable_sort = off
    AS $function$
BEGIN
    RETURN QUERY EXECUTE fhir.timeline_sql(patient, "from", "to", types, newest_first, count, lake, as_of, findings);
END
$function$;
COMMENT ON FUNCTION fhir.timeline(text, text, text, text[], boolean, integer, text, timestamptz, boolean) IS
    'the record of a patient in time order, one line for each resource, and one for each finding in a note that is so, or probably, and concerns the patient at that time: source then tells where its words stand, status how certain it is. findings => false leaves these out, and so does as_of. from and to: FHIR dates of any precision; what reaches into that time counts. count: only the first of that order. Undated resources are at its old end, and left out where from or to is given. as_of: the record at a past moment';

CREATE FUNCTION fhir.timeline_svg(patient text, "from" text DEFAULT NULL, "to" text DEFAULT NULL, types text[] DEFAULT NULL,
        width integer DEFAULT 1280, rows integer DEFAULT 12, lake text DEFAULT fhir.current_lake(),
        as_of timestamptz DEFAULT NULL, entries integer DEFAULT 20000) RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000
    SET enable_sort = off
    AS 'MODULE_PATHNAME', 'fhir_timeline_svg';
COMMENT ON FUNCTION fhir.timeline_svg(text, text, text, text[], integer, integer, text, timestamptz, integer) IS
    'the record of a patient as a picture in SVG. width: in pixels; rows: most rows of a lane, what is beyond is drawn as one. Its size is bounded by these two, however long the record is. as_of: the record at a past moment; entries: most entries of one type, the newest, what is beyond is only counted at the foot';

-- The whole record -------------------------------------------------------------------------------------------------------

CREATE FUNCTION fhir.everything(patient text, start text DEFAULT NULL, "end" text DEFAULT NULL, since timestamptz DEFAULT NULL,
        types text[] DEFAULT NULL, count integer DEFAULT NULL, cursor text DEFAULT NULL, lake text DEFAULT fhir.current_lake(),
        as_of timestamptz DEFAULT NULL)
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 AS 'MODULE_PATHNAME', 'fhir_everything';
COMMENT ON FUNCTION fhir.everything(text, text, text, timestamptz, text[], integer, text, text, timestamptz) IS
    'Patient/$everything as a Bundle: the compartment of the patient, and what that points at. count: resources on a page; cursor: the link "next" of the page before; as_of: the record at a past moment, which pages of it have to be given again. Raises FH404 if there is no such patient and FH410 if it was deleted';

CREATE FUNCTION fhir.everything_rows(patient text, start text DEFAULT NULL, "end" text DEFAULT NULL, since timestamptz DEFAULT NULL,
        types text[] DEFAULT NULL, lake text DEFAULT fhir.current_lake(), as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (type text, id text, version bigint, last_updated timestamptz, of_compartment boolean, resource jsonb)
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 ROWS 1000 AS 'MODULE_PATHNAME', 'fhir_everything_rows';
COMMENT ON FUNCTION fhir.everything_rows(text, text, text, timestamptz, text[], text, timestamptz) IS
    'what fhir.everything gives, as rows. of_compartment: whether the resource belongs to the patient, or is only pointed at';
