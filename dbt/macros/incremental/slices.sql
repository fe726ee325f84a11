{#
    A table is made from nothing by slices of its history: days in a row that hold about so many rows together. What a
    build takes of memory follows the slice, not the history. A slice is never less than a day.
#}

{# First and last day of each slice. `days` is a query of `day` and `row_count`, where a day may stand more than once. #}
{% macro slices_of(days) %}
    {% set rows = run_query(
        "SELECT toString(min(day)), toString(max(day))
        FROM (
            SELECT day, intDiv(sum(row_count) OVER (ORDER BY day) - row_count, " ~ build_slice_rows() ~ ") AS slice
            FROM (SELECT day, sum(row_count) AS row_count FROM (" ~ days ~ ") GROUP BY day)
        )
        GROUP BY slice ORDER BY slice"
    ).rows %}
    {% set slices = [] %}
    {% for row in rows %}
        {% do slices.append({'first': "toDate(" ~ text_value(row[0]) ~ ")", 'last': "toDate(" ~ text_value(row[1]) ~ ")"}) %}
    {% endfor %}
    {{ return(slices) }}
{% endmacro %}

{# The condition that a day is in the slice; the first and the last may be open. #}
{% macro is_in_slice(day, slice) -%}
    {%- set conditions = [] -%}
    {%- if not slice.get('is_first') %}{% do conditions.append(day ~ " >= " ~ slice['first']) %}{% endif -%}
    {%- if not slice.get('is_last') %}{% do conditions.append(day ~ " <= " ~ slice['last']) %}{% endif -%}
    {{ conditions | join(" AND ") or "1" }}
{%- endmacro %}

{#
    Makes the model from nothing, by a query a slice, and exchanges it for the former table at once. Until its row is
    written, the row says that it is being made, so that a build that fails here is begun anew, and followers begin
    anew after it. Answers the version to write.
#}
{% macro rebuild(build, queries) %}
    {% set version = build['version'] + 1 if build else 1 %}
    {% do run_query(write_build(version, version, '')) %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set existing_relation = load_cached_relation(this) %}
    {% if existing_relation is not none and not (existing_relation.is_table and existing_relation.can_exchange) %}
        {% do adapter.drop_relation(existing_relation) %}
        {% set existing_relation = none %}
    {% endif %}
    {% set new_relation = scratch('new') if existing_relation is not none else target_relation %}
    {% do drop_scratch(['new']) %}
    {% call statement('main') %}{{ get_create_table_as_sql(False, new_relation, queries[0]) }}{% endcall %}
    {% for query in queries[1:] %}
        {% do run_query(insert_rows(new_relation, added_to(new_relation, query))) %}
    {% endfor %}
    {% if existing_relation is not none %}
        {% do exchange_tables_atomic(new_relation, target_relation) %}
        {% do drop_scratch(['new']) %}
    {% endif %}
    {% do persist_docs(target_relation, model) %}
    {{ return(version + 1) }}
{% endmacro %}

{# Adds the rows of a query that has the model's columns, in any order, to a table of them. #}
{% macro insert_rows(relation, query) -%}
    {%- set columns = column_list() -%}
    INSERT INTO {{ relation }} ({{ columns }}) SELECT {{ columns }} FROM ({{ query }})
{%- endmacro %}

{# The model's columns, as SQL. #}
{% macro column_list() -%}
    {%- for column in model['columns'] %}{{ adapter.quote(column) }}{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}
