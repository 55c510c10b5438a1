-- One row for each finding in the text of a resource, as it is and was last read: where it stands, what it is, and how it is meant. What a reviewer rejected is left out.
SELECT
    CASE WHEN n.compartment LIKE 'Patient/%' THEN substr(n.compartment, 9) END AS patient_id, -- id of the Patient
    n.type AS type, -- type of the resource
    n.id AS id, -- id of the resource
    n.number AS number, -- number of the finding in the resource
    nullif(r.occurred, '-infinity') AS occurred, -- when the resource happened or was written
    n.path AS path, -- which element has the text
    n.section AS section, -- section of the text
    n.first AS first_character, -- where in the text it begins
    n.last AS last_character, -- where in the text it ends
    n.text AS text, -- the words
    n.category AS category, -- what kind of thing it is
    n.kind AS kind, -- a more exact kind
    n.concepts -> 0 ->> 'code' AS code, -- its best code
    n.concepts -> 0 ->> 'system' AS system, -- system of the best code
    n.concepts -> 0 ->> 'display' AS display, -- name of the best code
    (SELECT c ->> 'code' FROM jsonb_array_elements(n.concepts) c WHERE c ->> 'system' = 'http://hl7.org/fhir/sid/icd-10-cm' LIMIT 1) AS icd10cm, -- its code of ICD-10-CM
    n.certainty AS certainty, -- positive, probable, possible, unlikely or negative
    n.temporality AS temporality, -- current, past or future
    n.subject AS subject, -- patient, family or other
    n.conditionality AS conditionality, -- unconditional, hypothetical or conditional
    n.score AS score, -- how probable it is that the text says this
    n.value AS value, -- a normal form, such as a date
    n.lexicon AS lexicon, -- version of the lexicon that found it
    n.attributes AS attributes -- what belongs to it, such as dose or result
FROM {lake}.entity n
JOIN {lake}.resource r ON r.type = n.type AND r.id = n.id AND r.version = n.version
WHERE n.status = 'current'
