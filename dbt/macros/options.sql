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

{# How many days after its assignment a user is watched in an A/B test. #}
{% macro ab_window_days() -%}
    {%- set days = var('ab_window_days', 14) | string -%}
    {%- if not modules.re.fullmatch('[1-9][0-9]{0,2}', days) -%}
        {{ exceptions.raise_compiler_error("The var ab_window_days is '" ~ days ~ "'; it must be a whole number of days from 1 to 999.") }}
    {%- endif -%}
    {{ days }}
{%- endmacro %}

{# The control variant of experiments where it is not the usual one: a map from experiment to variant. #}
{% macro ab_control_variants() -%}
    {%- set controls = var('ab_control_variants', {}) -%}
    {%- if controls is not mapping -%}
        {{ exceptions.raise_compiler_error("The var ab_control_variants is '" ~ controls ~ "'; it must be a map from experiment to variant, such as {pricing: old}.") }}
    {%- endif -%}
    {%- set pairs = [] -%}
    {%- for experiment, variant in controls.items() -%}
        {%- do pairs.append(text_value(experiment) | trim ~ ', ' ~ text_value(variant) | trim) -%}
    {%- endfor -%}
    CAST(map({{ pairs | join(', ') }}) AS Map(String, String))
{%- endmacro %}

{# The shares that users were to be assigned by: a map from experiment to a map from variant to share. #}
{% macro ab_expected_shares() -%}
    {%- set experiments = var('ab_expected_shares', {}) -%}
    {%- set help = "it must be a map from experiment to shares by variant, such as {pricing: {old: 0.9, new: 0.1}}." -%}
    {%- if experiments is not mapping -%}
        {{ exceptions.raise_compiler_error("The var ab_expected_shares is '" ~ experiments ~ "'; " ~ help) }}
    {%- endif -%}
    {%- set pairs = [] -%}
    {%- for experiment, shares in experiments.items() -%}
        {%- if shares is not mapping or not shares -%}
            {{ exceptions.raise_compiler_error("The var ab_expected_shares has '" ~ shares ~ "' for the experiment '" ~ experiment ~ "'; " ~ help) }}
        {%- endif -%}
        {%- set of_variants = [] -%}
        {%- for variant, share in shares.items() -%}
            {%- if share is not number or share is boolean or share < 0 -%}
                {{ exceptions.raise_compiler_error("The var ab_expected_shares has '" ~ share ~ "' for the variant '" ~ variant ~ "' of '" ~ experiment ~ "'; a share is a number, 0 or more.") }}
            {%- endif -%}
            {%- do of_variants.append(text_value(variant) | trim ~ ', toFloat64(' ~ share ~ ')') -%}
        {%- endfor -%}
        {%- do pairs.append(text_value(experiment) | trim ~ ', map(' ~ of_variants | join(', ') ~ ')') -%}
    {%- endfor -%}
    CAST(map({{ pairs | join(', ') }}) AS Map(String, Map(String, Float64)))
{%- endmacro %}

{# About how many rows of what it reads a table is made from at a time, where it is made from nothing. #}
{% macro build_slice_rows() -%}
    {%- set rows = var('build_slice_rows', 3000000) | string -%}
    {%- if not modules.re.fullmatch('[1-9][0-9]{0,11}', rows) -%}
        {{ exceptions.raise_compiler_error("The var build_slice_rows is '" ~ rows ~ "'; it must be a whole number of rows, 1 or more.") }}
    {%- endif -%}
    {{ rows }}
{%- endmacro %}
