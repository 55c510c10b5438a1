-- One row for each finding in the text of a resource: where it stands, what it is, and how it is meant.
SELECT
    CASE WHEN n.compartment LIKE 'Patient/%' THEN substr(n.compartment, 9) END AS patient_id, -- id of the Patient
    n.type AS type, -- type of the resource
    n.id AS id, -- id of the resource
    nullif(r.occurred, '-infinity') AS occurred, -- when the resource happened or was written
    n.path AS path, -- which element has the text
    n.first AS first_character, -- where in the text it begins
    n.last AS last_character, -- where in the text it ends
    n.text AS text, -- the words
    n.category AS category, -- what kind of thing it is
    n.code AS code, -- code of it
    n.system AS system, -- system of the code
    n.attributes AS attributes -- how it is meant, such as negated or of somebody else
FROM {lake}.entity n
JOIN {lake}.resource r ON r.type = n.type AND r.id = n.id
