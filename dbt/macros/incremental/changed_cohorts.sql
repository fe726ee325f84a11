{#
    The cohorts of `fct_retention` that changes bear on, as a query of its key: what the mart's `changed_keys` names.

    A cohort's rows are made from its users, from who is active in the periods that are shown of it, and from which of
    its users were active later than that. So a changed day bears on
    - the cohorts that begin so many periods before it, or in its own period, that it is in one of those shown;
    - cohorts so old that all days shown of them are past, where a user who came or went on a changed day was active
      on no other day after those shown: for them alone it matters.
#}
{% macro changed_cohorts(build, follows) %}
    {% set bears_on = config.require('bears_on') %}
    {% set of_cohorts = [] %}
    {% set of_users = [] %}
    {% for other in follows %}
        {% if bears_on.get(other) == 'cohorts' %}{% do of_cohorts.append(other) %}{% endif %}
        {% if bears_on.get(other) == 'users' %}{% do of_users.append(other) %}{% endif %}
    {% endfor %}
    {% set query %}
    WITH
        changed_dates AS (
            SELECT DISTINCT changed_date FROM {{ changes_table() }} WHERE {{ changes_since(build, of_cohorts) }}
        ),

        -- Cohorts in whose shown periods a changed day is.
        shown AS (
            SELECT DISTINCT pair.1 AS cohort_period, pair.2 AS cohort_start
            FROM (
                SELECT arrayJoin(arrayConcat(
                    arrayMap(i -> ('day', changed_date - i), range(91)),
                    arrayMap(i -> ('week', toStartOfWeek(changed_date, {{ week_start() }}) - 7 * i), range(53)),
                    arrayMap(i -> ('month', addMonths(toStartOfMonth(changed_date), -i)), range(25))
                )) AS pair
                FROM changed_dates
            )
        ),

        -- Users who came or went on a changed day, or are there on one that counts since then, or no more.
        touched AS (
            SELECT user_number
            FROM {{ ref('int_user_numbers') }}
            WHERE user_id IN (
                SELECT user_id FROM {{ changes_table() }} WHERE {{ changes_since(build, of_users) }}
            )
            UNION DISTINCT
            SELECT arrayJoin(bitmapToArray(users)) AS user_number
            FROM {{ ref('int_active_users') }}
            WHERE segment = 'overall' AND activity_date IN (SELECT changed_date FROM changed_dates)
        ),

        -- These users by the other cohorts that they are in, each with the day after the last that is shown.
        older AS (
            SELECT
                pair.1 AS cohort_period,
                pair.2 AS cohort_start,
                multiIf(
                    cohort_period = 'day', cohort_start + 91,
                    cohort_period = 'week', cohort_start + 53 * 7,
                    addMonths(cohort_start, 25)
                ) AS day_after,
                groupBitmapState(user_number) AS users
            FROM (
                SELECT {{ periods_of('first_active_date') }} AS pair, user_number
                FROM {{ ref('int_users') }}
                WHERE user_number IN (SELECT user_number FROM touched)
            )
            WHERE (pair.1, pair.2) NOT IN (SELECT cohort_period, cohort_start FROM shown)
            GROUP BY pair
        ),

        -- Everybody active on a day or later, but for changed days.
        seen AS (
            SELECT
                calendar_date,
                groupBitmapMergeState(users) OVER (
                    ORDER BY calendar_date DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
                ) AS users
            FROM {{ ref('int_calendar') }} AS calendar
            LEFT JOIN (
                SELECT activity_date, users
                FROM {{ ref('int_active_users') }}
                WHERE segment = 'overall' AND activity_date NOT IN (SELECT changed_date FROM changed_dates)
            ) AS active ON active.activity_date = calendar.calendar_date
        ),

        -- Those of them who were seen on no other day after those shown.
        unseen AS (
            SELECT
                older.cohort_period AS cohort_period,
                older.cohort_start AS cohort_start,
                arrayJoin(bitmapToArray(bitmapAndnot(older.users, seen.users))) AS user_number
            FROM seen
            INNER JOIN older ON older.day_after = seen.calendar_date
        )

    -- All segment values of the former cohorts, as they were and as they are.
    SELECT DISTINCT cohort_period, cohort_start, segment, segment_value
    FROM {{ this }}
    WHERE (cohort_period, cohort_start) IN (SELECT cohort_period, cohort_start FROM shown)
    UNION DISTINCT
    SELECT DISTINCT pair.1 AS cohort_period, pair.2 AS cohort_start, segment, segment_value
    FROM (
        SELECT {{ periods_of('first_active_date') }} AS pair, segment, segment_value
        FROM {{ ref('int_new_users') }}
    )
    WHERE (pair.1, pair.2) IN (SELECT cohort_period, cohort_start FROM shown)
    UNION DISTINCT
    -- Of the latter, those that such a user is in.
    SELECT DISTINCT
        unseen.cohort_period AS cohort_period,
        unseen.cohort_start AS cohort_start,
        pair.1 AS segment,
        pair.2 AS segment_value
    FROM {{ ref('int_users') }} AS users
    INNER JOIN unseen ON unseen.user_number = users.user_number
    ARRAY JOIN arrayConcat(
        [('overall', '')],
        arrayMap(value -> ('platform', toString(value)), users.platforms),
        arrayMap(value -> ('country', toString(value)), users.countries)
    ) AS pair
    {% endset %}
    {{ return(query) }}
{% endmacro %}
