{#
    No two rows of the model have the same values in these columns: the model's grain. With `of_last_build`, only
    rows are looked at that the last build bears on.
#}
{% test unique_combination(model, columns, of_last_build=false, changed_by=none) %}
SELECT
    {{ columns | join(', ') }},
    count() AS row_count
FROM {{ model }}
{%- if of_last_build %}
WHERE {{ rows_of_last_build(model, changed_by) }}
{%- endif %}
GROUP BY {{ columns | join(', ') }}
HAVING row_count > 1
{% endtest %}
