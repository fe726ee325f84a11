-- Every user has one day, one week and one month in which they came first.
SELECT groupArray((cohort_period, users)) AS counts
FROM (
    SELECT cohort_period, sum(cohort_users) AS users
    FROM {{ ref('fct_retention') }}
    WHERE segment = 'overall' AND period_index = 0
    GROUP BY cohort_period
)
HAVING min(users) != max(users)
