{#
    No two rows of the model have the same values in these columns: the model's grain.
#}
{% test unique_combination(model, columns) %}
SELECT
    {{ columns | join(', ') }},
    count() AS row_count
FROM {{ model }}
GROUP BY {{ columns | join(', ') }}
HAVING row_count > 1
{% endtest %}
