{#
    The database of a model or seed: the layer's name under the prefix, so that `+schema: marts` is `marts`,
    or `acme_marts` with SCHOOLBELL_DATABASE_PREFIX=acme_. dbt's own rule would put the profile's schema before it.
#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ env_var('SCHOOLBELL_DATABASE_PREFIX', '') }}{{ custom_schema_name | trim if custom_schema_name else 'staging' }}
{%- endmacro %}
