SELECT id AS id,
    resource->>'gender' AS gender,
    (resource->>'birthDate')::date AS birth_date,
    (resource->>'deceasedDateTime')::timestamptz AS deceased,
    resource->'name'->0->>'family' AS family,
    resource->'name'->0->'given'->>0 AS given,
    resource->'name'->0->'prefix'->>0 AS prefix,
    resource->'address'->0->'line'->>0 AS street,
    resource->'address'->0->>'city' AS city,
    resource->'address'->0->>'state' AS state,
    resource->'address'->0->>'postalCode' AS postal_code,
    resource->'address'->0->>'country' AS country,
    resource->'telecom'->0->>'value' AS phone,
    resource->'maritalStatus'->'coding'->0->>'code' AS marital_status,
    resource->'maritalStatus'->'coding'->0->>'display' AS marital_status_display,
    resource->'communication'->0->'language'->'coding'->0->>'code' AS language,
    resource->'identifier'->0->>'value' AS identifier,
    (SELECT e->>'valueCode' FROM jsonb_array_elements(resource->'extension') e
     WHERE e->>'url' = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex' LIMIT 1) AS birth_sex,
    (SELECT f->'valueCoding'->>'code' FROM jsonb_array_elements(resource->'extension') e, jsonb_array_elements(e->'extension') f
     WHERE e->>'url' = 'http://hl7.org/fhir/us/core/StructureDefinition/us-core-race' AND f->>'url' = 'ombCategory' LIMIT 1) AS race,
    (resource->>'multipleBirthBoolean')::boolean AS multiple_birth
FROM lake.patient
