-- Every attempt has one platform, one country and one course.
SELECT activity_date, groupArray((segment, attempts)) AS counts
FROM (
    SELECT activity_date, segment, sum(attempts) AS attempts
    FROM {{ ref('fct_task_success_daily') }}
    GROUP BY activity_date, segment
    HAVING attempts > 0
)
GROUP BY activity_date
HAVING count() != 4 OR min(attempts) != max(attempts)
