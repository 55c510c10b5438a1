-- fhir.bundle(jsonb) is a function now.
ALTER DOMAIN fhir.bundle RENAME TO bundle_resource;
