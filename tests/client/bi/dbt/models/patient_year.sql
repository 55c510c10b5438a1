WITH visits AS (
    SELECT patient_id, extract(year FROM period_start)::integer AS year, count(*) AS encounters
    FROM {{ source('bi', 'encounter') }}
    WHERE patient_id IS NOT NULL AND period_start IS NOT NULL
    GROUP BY 1, 2
),
measures AS (
    SELECT patient_id, extract(year FROM effective)::integer AS year, count(*) AS observations, avg(value_quantity) FILTER (WHERE code = '29463-7') AS weight
    FROM {{ source('bi', 'observation') }}
    GROUP BY 1, 2
)
SELECT v.patient_id || '/' || v.year AS patient_year, v.patient_id, v.year, v.encounters, coalesce(m.observations, 0) AS observations, m.weight
FROM visits v LEFT JOIN measures m USING (patient_id, year)
