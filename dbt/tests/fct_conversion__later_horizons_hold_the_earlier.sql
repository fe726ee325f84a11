-- A cohort is the same at every horizon, and who has converted by one has converted by the next. All who ever pay and
-- are active have converted by some day, so nobody converts who is no new paying user.
WITH
    horizons AS (
        SELECT
            conversion,
            cohort_date,
            uniqExact(cohort_users) AS cohort_sizes,
            count() AS rows_of_cohort,
            arrayMap(row -> row.2, arraySort(groupArray((horizon_days, converted_users)))) AS converted
        FROM {{ ref('fct_conversion') }}
        GROUP BY
            conversion,
            cohort_date
    )
SELECT
    conversion,
    cohort_date,
    converted
FROM horizons
WHERE cohort_sizes != 1
    OR rows_of_cohort != 8
    OR converted != arraySort(converted)
UNION ALL
SELECT
    'activity_to_paid' AS conversion,
    NULL AS cohort_date,
    [converts, payers] AS converted
FROM (
    SELECT
        (
            SELECT sum(converted_users)
            FROM {{ ref('fct_conversion') }}
            WHERE conversion = 'activity_to_paid' AND horizon_days = 90
        ) AS converts,
        (
            SELECT sum(new_paying_users)
            FROM {{ ref('fct_revenue') }}
            WHERE period = 'month' AND segment = 'overall'
        ) AS payers
)
WHERE converts > payers
