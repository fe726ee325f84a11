-- The money of all cohorts is the overall net revenue, but for the money of users who were never active and what came
-- later than a cohort's 36 months.
WITH
    (SELECT sum(net_revenue) FROM {{ ref('fct_ltv') }}) AS of_cohorts,
    (
        SELECT sum(net_revenue)
        FROM {{ ref('fct_revenue') }}
        WHERE period = 'month' AND segment = 'overall'
    ) AS of_all,
    (
        SELECT sum(net_revenue)
        FROM {{ ref('int_money') }}
        WHERE user_id NOT IN (
            SELECT user_id
            FROM {{ ref('int_users') }}
            WHERE first_active_date <= {{ as_of_date() }}
        )
    ) AS of_no_cohort,
    (
        SELECT sum(money.net_revenue)
        FROM {{ ref('int_money') }} AS money
        INNER JOIN {{ ref('int_users') }} AS life ON life.user_id = money.user_id
        WHERE dateDiff('month', life.first_active_date, money.event_date) > 36
    ) AS of_later
SELECT
    of_cohorts,
    of_all,
    of_no_cohort,
    of_later
WHERE of_cohorts != of_all - of_no_cohort - of_later
