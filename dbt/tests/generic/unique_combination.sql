{#
    No two rows of the model have the same values in these columns: the model's grain. With `of_last_build`, only
    rows are looked at that the last build bears on.
#}
{% test unique_combination(model, columns, of_last_build=false) %}
SELECT
    {{ columns | join(', ') }},
    count() AS row_count
FROM {{ model }}
{%- if of_last_build %}
WHERE {{ rows_of_last_build(model) }}
{%- endif %}
GROUP BY {{ columns | join(', ') }}
HAVING row_count > 1
-- Where the table is sorted by these columns, this takes next to no memory.
SETTINGS optimize_aggregation_in_order = 1
{% endtest %}
