-- All platforms together have the purchases and the money of the overall row, and so have all countries and all plans.
WITH
    by_segment AS (
        SELECT
            period,
            period_start,
            segment,
            (sum(purchases), sum(new_paying_users), sum(gross_revenue), sum(refunds)) AS sums
        FROM {{ ref('fct_revenue') }}
        GROUP BY
            period,
            period_start,
            segment
    )
SELECT
    overall.period AS period,
    overall.period_start AS period_start,
    cut.segment AS segment,
    overall.sums AS overall_sums,
    cut.sums AS sums
FROM by_segment AS overall
CROSS JOIN (SELECT arrayJoin(['platform', 'country', 'plan']) AS segment) AS segments
LEFT JOIN by_segment AS cut
    ON cut.period = overall.period AND cut.period_start = overall.period_start AND cut.segment = segments.segment
WHERE overall.segment = 'overall'
    AND overall.sums != cut.sums
