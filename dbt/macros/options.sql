{#
    The options of the project as SQL values. Models call these and never read vars themselves. Each macro refuses a
    value that is none of its var's type; `checks.sql` calls all of them before anything is built.
#}

{# The vars that exist. #}
{% macro option_names() -%}
    {{ return([
        'ab_control_variants',
        'ab_expected_shares',
        'ab_min_users',
        'ab_window_days',
        'as_of_date',
        'build_slice_rows',
        'grace_days',
        'reporting_currency',
        'reporting_timezone',
        'week_start',
    ]) }}
{%- endmacro %}

{# Stops with the name of a var, its value, and what is allowed. #}
{% macro refuse_var(name, value, allowed) %}
    {{ exceptions.raise_compiler_error("The var " ~ name ~ " is '" ~ value ~ "'; " ~ allowed) }}
{% endmacro %}

{# A text value in SQL. #}
{% macro text_value(value) -%}
    '{{ (value | string).replace("\\", "\\\\").replace("'", "\\'") }}'
{%- endmacro %}

{# A var that is a whole number with at most so many digits. #}
{% macro whole_number_var(name, default, least, digits) -%}
    {%- set value = var(name, default) | string -%}
    {%- if not modules.re.fullmatch('0|[1-9][0-9]{0,' ~ (digits - 1) ~ '}', value) or value | int < least -%}
        {% do refuse_var(name, value, "it must be a whole number from " ~ least ~ " to " ~ '9' * digits ~ ".") %}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}

{# The zone whose days are counted. `checks.sql` asks the server whether it knows it. #}
{% macro reporting_timezone() -%}
    {{ text_value(var('reporting_timezone', 'UTC')) }}
{%- endmacro %}

{# The currency money is reported in. #}
{% macro reporting_currency() -%}
    {%- set currency = var('reporting_currency', 'USD') | string -%}
    {%- if not modules.re.fullmatch('[A-Z]{3}', currency) -%}
        {% do refuse_var('reporting_currency', currency, "it must be three capital letters such as USD.") %}
    {%- endif -%}
    {{ text_value(currency) }}
{%- endmacro %}

{# The day that weeks begin with, as the mode of `toStartOfWeek`. #}
{% macro week_start() -%}
    {%- set modes = {'monday': 1, 'sunday': 0} -%}
    {%- set day = var('week_start', 'monday') | string -%}
    {%- if day not in modes -%}
        {% do refuse_var('week_start', day, "it must be monday or sunday.") %}
    {%- endif -%}
    {{ modes[day] }}
{%- endmacro %}

{# The last date that counts: the var, else the last whole date of the loads. #}
{% macro as_of_date() -%}
    {%- set date = as_of_date_var() -%}
    {%- if date -%} toDate({{ text_value(date) }}) {%- else -%} ({{ last_whole_date(ref('stg_loads')) }}) {%- endif -%}
{%- endmacro %}

{# The var as_of_date; empty where the default holds. #}
{% macro as_of_date_var() %}
    {% set date = var('as_of_date', '') | string %}
    {% if date and not is_date(date) %}
        {% do refuse_var('as_of_date', date, "it must be a date YYYY-MM-DD that the calendar has, or empty for the last "
            ~ "date that had ended in the reporting zone by the end, in UTC, of the latest batch date loaded.") %}
    {% endif %}
    {{ return(date) }}
{% endmacro %}

{# Whether a text is a date that the calendar and the type `Date` have. #}
{% macro is_date(text) %}
    {% if not modules.re.fullmatch('(19[7-9][0-9]|20[0-9]{2}|21[0-3][0-9]|214[0-8])-(0[1-9]|1[0-2])-[0-3][0-9]', text) %}
        {{ return(false) }}
    {% endif %}
    {% set parts = text.split('-') %}
    {% set first = modules.datetime.date(parts[0] | int, parts[1] | int, 1) %}
    {% set in_next_month = first + modules.datetime.timedelta(days=31) %}
    {% set days = (in_next_month.replace(day=1) - first).days %}
    {{ return(parts[2] | int >= 1 and parts[2] | int <= days) }}
{% endmacro %}

{#
    The last date of the reporting zone that had ended by the end, in UTC, of the latest batch date: west of UTC that is
    the day before. `loads` has a row a batch date; a day that was taken back has no loads. Before 1970 is none.
#}
{% macro last_whole_date(loads) -%}
    SELECT if(count() = 0, toDate(0), toDate(toDateTime64(max(batch_date) + 1, 0, 'UTC'), {{ reporting_timezone() }}) - 1)
    FROM {{ loads }} WHERE notEmpty(load_ids)
{%- endmacro %}

{# How many days after its assignment a user is watched in an A/B test. #}
{% macro ab_window_days() -%} {{ whole_number_var('ab_window_days', 14, 1, 3) }} {%- endmacro %}

{# How many users each side of an A/B test needs to be judged. #}
{% macro ab_min_users() -%} {{ whole_number_var('ab_min_users', 30, 0, 9) }} {%- endmacro %}

{# How many days after its end a paid period still counts. #}
{% macro grace_days() -%} {{ whole_number_var('grace_days', 0, 0, 3) }} {%- endmacro %}

{# About how many rows of what it reads a table is made from at a time, where it is made from nothing. #}
{% macro build_slice_rows() -%} {{ whole_number_var('build_slice_rows', 3000000, 1, 12) }} {%- endmacro %}

{# The control variant of experiments where it is not the usual one: a map from experiment to variant. #}
{% macro ab_control_variants() -%}
    {%- set controls = var('ab_control_variants', {}) -%}
    {%- set help = "it must be a map from experiment to variant, such as {pricing: old}." -%}
    {%- if controls is not mapping -%}
        {% do refuse_var('ab_control_variants', controls, help) %}
    {%- endif -%}
    {%- set pairs = [] -%}
    {%- for experiment, variant in controls.items() -%}
        {%- if variant is mapping or (variant is iterable and variant is not string) or variant is none -%}
            {% do refuse_var('ab_control_variants', controls, help) %}
        {%- endif -%}
        {%- do pairs.append(text_value(experiment) | trim ~ ', ' ~ text_value(variant) | trim) -%}
    {%- endfor -%}
    CAST(map({{ pairs | join(', ') }}) AS Map(String, String))
{%- endmacro %}

{# The shares that users were to be assigned by: a map from experiment to a map from variant to share. #}
{% macro ab_expected_shares() -%}
    {%- set experiments = var('ab_expected_shares', {}) -%}
    {%- set help = "it must be a map from experiment to shares by variant, such as {pricing: {old: 0.9, new: 0.1}}, each "
        ~ "above 0." -%}
    {%- if experiments is not mapping -%}
        {% do refuse_var('ab_expected_shares', experiments, help) %}
    {%- endif -%}
    {%- set pairs = [] -%}
    {%- for experiment, shares in experiments.items() -%}
        {%- if shares is not mapping or not shares -%}
            {% do refuse_var('ab_expected_shares.' ~ experiment, shares, help) %}
        {%- endif -%}
        {%- set of_variants = [] -%}
        {%- for variant, share in shares.items() -%}
            {%- if share is not number or share is boolean or not share > 0 or share | string in ('inf', 'nan') -%}
                {% do refuse_var('ab_expected_shares.' ~ experiment ~ '.' ~ variant, share, help) %}
            {%- endif -%}
            {%- do of_variants.append(text_value(variant) | trim ~ ', toFloat64(' ~ share ~ ')') -%}
        {%- endfor -%}
        {%- do pairs.append(text_value(experiment) | trim ~ ', map(' ~ of_variants | join(', ') ~ ')') -%}
    {%- endfor -%}
    CAST(map({{ pairs | join(', ') }}) AS Map(String, Map(String, Float64)))
{%- endmacro %}
