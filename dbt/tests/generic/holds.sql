{#
    The condition holds for every row. A row for which it is NULL fails as well.
#}
{% test holds(model, condition) %}
SELECT *
FROM {{ model }}
WHERE NOT ifNull({{ condition }}, 0)
{% endtest %}
