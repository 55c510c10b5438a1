SELECT p.gender, extract(decade FROM p.birth_date)::integer * 10 AS decade, count(DISTINCT p.id) AS patients, sum(y.encounters) AS encounters
FROM {{ source('bi', 'patient') }} p LEFT JOIN {{ ref('patient_year') }} y ON y.patient_id = p.id
GROUP BY 1, 2
