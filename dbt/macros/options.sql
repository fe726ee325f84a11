{# The options of the project as SQL values. Models call these and never read vars themselves. #}

{# A text value in SQL. #}
{% macro text_value(value) -%}
    '{{ (value | string).replace("\\", "\\\\").replace("'", "\\'") }}'
{%- endmacro %}

{# The zone whose days are counted. ClickHouse refuses a name it does not know. #}
{% macro reporting_timezone() -%}
    {{ text_value(var('reporting_timezone', 'UTC')) }}
{%- endmacro %}

{# The currency money is reported in. #}
{% macro reporting_currency() -%}
    {%- set currency = var('reporting_currency', 'USD') | string -%}
    {%- if not modules.re.fullmatch('[A-Z]{3}', currency) -%}
        {{ exceptions.raise_compiler_error("The var reporting_currency is '" ~ currency ~ "'; it must be three capital letters such as USD.") }}
    {%- endif -%}
    {{ text_value(currency) }}
{%- endmacro %}

{# The last date that counts: the var, else the latest day loaded. #}
{% macro as_of_date() -%}
    {%- set date = var('as_of_date', '') | string -%}
    {%- if not date -%}
        (SELECT max(batch_date) FROM {{ ref('stg_loads') }})
    {%- elif modules.re.fullmatch('[0-9]{4}-[0-9]{2}-[0-9]{2}', date) -%}
        toDate({{ text_value(date) }})
    {%- else -%}
        {{ exceptions.raise_compiler_error("The var as_of_date is '" ~ date ~ "'; it must be YYYY-MM-DD, or empty for the latest batch date loaded.") }}
    {%- endif -%}
{%- endmacro %}
