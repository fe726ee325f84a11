-- The users of a month's cohort are those who begin on its days, and those whom fct_activity_daily calls new.
WITH
    of_days AS (
        SELECT
            toStartOfMonth(cohort_date) AS cohort_month,
            sum(cohort_users) AS users
        FROM {{ ref('fct_conversion') }}
        WHERE conversion = 'activity_to_paid' AND horizon_days = 0
        GROUP BY cohort_month
    ),

    new_users AS (
        SELECT
            toStartOfMonth(activity_date) AS cohort_month,
            sum(new_users) AS users
        FROM {{ ref('fct_activity_daily') }}
        WHERE segment = 'overall'
        GROUP BY cohort_month
        HAVING users > 0
    ),

    of_months AS (
        SELECT
            cohort_month,
            cohort_users AS users
        FROM {{ ref('fct_ltv') }}
        WHERE month_index = 0
    )
SELECT
    cohort_month,
    groupArray(users) AS counts
FROM (
    SELECT * FROM of_days
    UNION ALL
    SELECT * FROM new_users
    UNION ALL
    SELECT * FROM of_months
)
GROUP BY cohort_month
HAVING length(counts) != 3 OR length(arrayDistinct(counts)) != 1
