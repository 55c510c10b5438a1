-- What the data is like, and the flat view that it asks for. With the rights of the caller.

CREATE FUNCTION fhir.profile_data(type text, sample bigint DEFAULT NULL, lake text DEFAULT fhir.current_lake())
    RETURNS TABLE (path text, expression text, fhir_type text, resources bigint, share real, occurrences bigint, most bigint,
                   distinct_values bigint, is_exact boolean, smallest text, largest text, examples text[])
    LANGUAGE c STABLE PARALLEL SAFE COST 1000000 ROWS 100 AS 'MODULE_PATHNAME', 'fhir_profile_data';
COMMENT ON FUNCTION fhir.profile_data(text, bigint, text) IS
    'which elements occur in the stored resources of a type, or in about as many as sample says: the path as stored and in FHIRPath, its type, in how many resources and which share of them, how often in all and most often in one, how many different values (is_exact tells whether they were counted or estimated, within a few percent), smallest and largest of numbers and times, a few of all others. The first row is the resource itself; elements that FHIR does not have are without expression and type; extensions are told apart by url. In one pass, with bounded memory';

CREATE FUNCTION fhir.propose_view(type text, threshold real DEFAULT 0.01, for_each text DEFAULT NULL, sample bigint DEFAULT NULL,
                                  lake text DEFAULT fhir.current_lake()) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'fhir_propose_view';
COMMENT ON FUNCTION fhir.propose_view(text, real, text, bigint, text) IS
    'a ViewDefinition (SQL on FHIR v2) for the stored resources of a type: a column for each element that at least the threshold, a share from 0 to 1, of them have; code, display and system of what is coded, a key for each type that a reference points at, the first of what repeats. for_each is the path of a repeating element, such as component, that then has a row each. Meant to be edited, then for fhir.create_view';
