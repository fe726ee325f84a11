-- What the days of a week or a month add up to is what its own row says. Users do not add up: one who is there on two
-- days counts once a week; but there are at least as many as on the best day, and at most as many as on all days.
WITH
    of_days AS (
        SELECT
            arrayJoin([('week', toStartOfWeek(period_start, {{ week_start() }})), ('month', toStartOfMonth(period_start))]) AS span,
            segment,
            segment_value,
            sum(purchases) AS purchases,
            sum(new_paying_users) AS new_paying_users,
            sum(gross_revenue) AS gross_revenue,
            sum(refunds) AS refunds,
            max(paying_users) AS most_paying,
            sum(paying_users) AS all_paying,
            -- A plan shows everybody's active users, and has no row on days without its money.
            maxIf(active_users, segment != 'plan') AS most_active,
            sumIf(active_users, segment != 'plan') AS all_active,
            count() AS day_rows
        FROM {{ ref('fct_revenue') }}
        WHERE period = 'day'
        GROUP BY
            span,
            segment,
            segment_value
    ),

    of_periods AS (
        SELECT
            (CAST(period AS String), period_start) AS span,
            segment,
            segment_value,
            purchases,
            new_paying_users,
            gross_revenue,
            refunds,
            paying_users,
            active_users,
            count() AS period_rows
        FROM {{ ref('fct_revenue') }}
        WHERE period != 'day'
        GROUP BY ALL
    )
SELECT *
FROM of_days
FULL JOIN of_periods USING (span, segment, segment_value)
WHERE of_days.day_rows = 0
    OR of_periods.period_rows != 1
    OR of_days.purchases != of_periods.purchases
    OR of_days.new_paying_users != of_periods.new_paying_users
    OR of_days.gross_revenue != of_periods.gross_revenue
    OR of_days.refunds != of_periods.refunds
    OR of_periods.paying_users < of_days.most_paying
    OR of_periods.paying_users > of_days.all_paying
    OR of_periods.segment != 'plan' AND of_periods.active_users < of_days.most_active
    OR of_periods.segment != 'plan' AND of_periods.active_users > of_days.all_active
