{#
    The condition holds for every row. A row for which it is NULL fails as well. With `of_last_build`, only rows are
    looked at that the last build bears on.
#}
{% test holds(model, condition, of_last_build=false, changed_by=none) %}
SELECT *
FROM {{ model }}
WHERE NOT ifNull({{ condition }}, 0)
{%- if of_last_build %}
    AND {{ rows_of_last_build(model, changed_by) }}
{%- endif %}
{% endtest %}
