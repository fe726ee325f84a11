-- Users come first on one day: the new users of a day are its cohort, and all of them are the users there are.
WITH
    new AS (
        SELECT activity_date, new_users
        FROM {{ ref('fct_activity_daily') }}
        WHERE segment = 'overall' AND new_users > 0
    ),

    cohorts AS (
        SELECT cohort_start, cohort_users
        FROM {{ ref('fct_retention') }}
        WHERE cohort_period = 'day' AND segment = 'overall' AND period_index = 0
    ),

    known AS (
        SELECT first_active_date, count() AS users
        FROM {{ ref('int_users') }}
        WHERE first_active_date <= {{ as_of_date() }}
        GROUP BY first_active_date
    ),

    counted AS (
        SELECT activity_date AS date, 'fct_activity_daily' AS place, new_users AS users FROM new
        UNION ALL
        SELECT cohort_start, 'fct_retention', cohort_users FROM cohorts
        UNION ALL
        SELECT first_active_date, 'int_users', users FROM known
    )

SELECT date, groupArray((place, users)) AS counts
FROM counted
GROUP BY date
HAVING count() != 3 OR min(users) != max(users)
