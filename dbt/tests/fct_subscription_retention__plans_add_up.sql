-- All plans together have the overall subscribers who are eligible and retained. Of the cohort they may have fewer: a
-- plan has no row for a month in which none of its subscribers is eligible.
SELECT
    cohort_month,
    month_index,
    sumIf(cohort_subscribers, segment = 'overall') AS overall_cohort,
    sumIf(cohort_subscribers, segment = 'plan') AS plans_cohort,
    sumIf(eligible_subscribers, segment = 'overall') AS overall_eligible,
    sumIf(eligible_subscribers, segment = 'plan') AS plans_eligible,
    sumIf(retained_subscribers, segment = 'overall') AS overall_retained,
    sumIf(retained_subscribers, segment = 'plan') AS plans_retained
FROM {{ ref('fct_subscription_retention') }}
GROUP BY
    cohort_month,
    month_index
HAVING overall_eligible != plans_eligible
    OR overall_retained != plans_retained
    OR overall_cohort < plans_cohort
