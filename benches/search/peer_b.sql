-- b: an index for each parameter that the shapes use, as servers that search jsonb in place advise: GIN on the arrays of
-- codes, btrees on extracted values, trigrams for strings, and the pairs that are asked together.
-- Immutable as long as the server's time zone stays, which such a setup has to promise.
CREATE FUNCTION bench.moment(text) RETURNS timestamptz IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS 'SELECT $1::timestamptz';
-- The strings at a path, each after a ^ and before the next, ready for LIKE: '%^smi%' starts with, '%^smith^%' is exactly.
CREATE FUNCTION bench.strings(jsonb, jsonpath) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE sql
  AS $$ SELECT '^' || string_agg(lower(public.unaccent('public.unaccent'::regdictionary, s #>> '{}')), '^') || '^' FROM jsonb_path_query($1, $2) s $$;

CREATE INDEX ON bench.observation USING gin ((resource #> '{code,coding}') jsonb_path_ops);
CREATE INDEX ON bench.observation USING gin ((resource -> 'category') jsonb_path_ops);
CREATE INDEX ON bench.observation ((resource ->> 'status'));
CREATE INDEX ON bench.observation ((resource #>> '{subject,reference}'),
  bench.moment(coalesce(resource ->> 'effectiveDateTime', resource #>> '{effectivePeriod,start}')) DESC, id);
CREATE INDEX ON bench.observation (bench.moment(coalesce(resource ->> 'effectiveDateTime', resource #>> '{effectivePeriod,start}')) DESC, id);
CREATE INDEX ON bench.observation ((resource #>> '{encounter,reference}'));
CREATE INDEX ON bench.observation (((resource #>> '{valueQuantity,value}')::numeric));
CREATE INDEX ON bench.observation ((resource #>> '{valueQuantity,code}'), ((resource #>> '{valueQuantity,value}')::numeric));

CREATE INDEX ON bench.patient USING gin ((resource -> 'identifier') jsonb_path_ops);
CREATE INDEX ON bench.patient USING gin (bench.strings(resource, '$.name[*].family') gin_trgm_ops);
CREATE INDEX ON bench.patient USING gin (bench.strings(resource, '$.name[*].*[*]') gin_trgm_ops);
CREATE INDEX ON bench.patient ((resource ->> 'gender'));
CREATE INDEX ON bench.patient (bench.moment(resource ->> 'birthDate'));
CREATE INDEX ON bench.patient (bench.moment(resource ->> 'deceasedDateTime'));

CREATE INDEX ON bench.encounter ((resource #>> '{subject,reference}'), bench.moment(resource #>> '{period,start}') DESC, id);
CREATE INDEX ON bench.encounter (bench.moment(resource #>> '{period,start}') DESC, bench.moment(resource #>> '{period,end}'));
CREATE INDEX ON bench.encounter USING gin ((resource -> 'type') jsonb_path_ops);
CREATE INDEX ON bench.encounter ((resource #>> '{class,code}'));
CREATE INDEX ON bench.encounter ((resource #>> '{serviceProvider,reference}'));

CREATE INDEX ON bench.condition USING gin ((resource #> '{code,coding}') jsonb_path_ops);
CREATE INDEX ON bench.condition USING gin ((resource #> '{clinicalStatus,coding}') jsonb_path_ops);
CREATE INDEX ON bench.condition ((resource #>> '{subject,reference}'), bench.moment(resource ->> 'onsetDateTime') DESC, id);
CREATE INDEX ON bench.condition ((resource #>> '{encounter,reference}'));
CREATE INDEX ON bench.procedure USING gin ((resource #> '{code,coding}') jsonb_path_ops);
CREATE INDEX ON bench.procedure ((resource #>> '{subject,reference}'));
CREATE INDEX ON bench.diagnosticreport USING gin ((resource #> '{code,coding}') jsonb_path_ops);
CREATE INDEX ON bench.diagnosticreport USING gin ((resource -> 'result') jsonb_path_ops);
CREATE INDEX ON bench.diagnosticreport ((resource #>> '{subject,reference}'), bench.moment(resource ->> 'effectiveDateTime') DESC, id);
CREATE INDEX ON bench.diagnosticreport ((resource #>> '{encounter,reference}'));
CREATE INDEX ON bench.medicationrequest USING gin ((resource #> '{medicationCodeableConcept,coding}') jsonb_path_ops);
CREATE INDEX ON bench.medicationrequest ((resource #>> '{subject,reference}'), bench.moment(resource ->> 'authoredOn') DESC, id);
CREATE INDEX ON bench.medicationrequest ((resource ->> 'status'));
CREATE INDEX ON bench.careplan USING gin ((resource -> 'instantiatesUri') jsonb_path_ops);
CREATE INDEX ON bench.careplan ((resource #>> '{subject,reference}'));
CREATE INDEX ON bench.claim ((resource #>> '{patient,reference}'));
CREATE INDEX ON bench.explanationofbenefit ((resource #>> '{patient,reference}'));
CREATE INDEX ON bench.immunization ((resource #>> '{patient,reference}'));
CREATE INDEX ON bench.immunization USING gin ((resource #> '{vaccineCode,coding}') jsonb_path_ops);
