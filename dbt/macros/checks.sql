{#
    What is checked before anything is built (`on-run-start`): that there is a warehouse, that every var exists and has a
    value of its type, and that experiments and variants named in vars were ever seen. Each message says what is wrong,
    and what is allowed.
#}
{% macro check_before_build() %}
    {% if execute and flags.WHICH in ['build', 'run', 'test', 'retry'] %}
        {% do check_warehouse() %}
        {% do check_var_names() %}
        {% do check_timezone() %}
        {% do check_as_of_date() %}
        {# Each of these refuses a value that is none of its type. #}
        {% do [reporting_currency(), week_start(), ab_window_days(), ab_min_users(), grace_days(), build_slice_rows()] %}
        {% do [ab_control_variants(), ab_expected_shares()] %}
        {% do check_experiments() %}
    {% endif %}
{% endmacro %}

{# A table of the database `raw`. #}
{% macro raw_table(name) -%}
    {{ api.Relation.create(schema=env_var('SCHOOLBELL_DATABASE_PREFIX', '') ~ 'raw', identifier=name, type='table') }}
{%- endmacro %}

{% macro check_warehouse() %}
    {% set database = env_var('SCHOOLBELL_DATABASE_PREFIX', '') ~ 'raw' %}
    {% set tables = "SELECT count() FROM system.tables WHERE name = 'loads' AND database = " ~ text_value(database) %}
    {% if not count_of(tables) %}
        {{ exceptions.raise_compiler_error(
            "There is no warehouse: the table " ~ database ~ ".loads does not exist. Run `schoolbell init` first, then load "
            ~ "a day. (The database's name comes from SCHOOLBELL_DATABASE_PREFIX, which is '"
            ~ env_var('SCHOOLBELL_DATABASE_PREFIX', '') ~ "'.)"
        ) }}
    {% endif %}
{% endmacro %}

{# The names among these that are most like one, as a text: at most so many. #}
{% macro nearest_names(name, names, most=5) %}
    {% set list = [] %}
    {% for known in names %}{% do list.append(text_value(known) | trim) %}{% endfor %}
    {% set rows = run_query(
        "SELECT name FROM (SELECT arrayJoin(CAST([" ~ list | join(', ') ~ "] AS Array(String))) AS name)
        ORDER BY " ~ unlikeness('name', name) ~ ", name LIMIT " ~ most
    ).rows %}
    {% set nearest = [] %}
    {% for row in rows %}{% do nearest.append(row[0]) %}{% endfor %}
    {{ return(nearest | join(', ') ~ (', …' if names | length > most else '')) }}
{% endmacro %}

{# How unlike a column's names are to one, as SQL: a part of the name or edits to it. #}
{% macro unlikeness(column, name) -%}
    positionCaseInsensitive({{ column }}, {{ text_value(name) }}) = 0,
    editDistance(lower({{ column }}), lower({{ text_value(name) }}))
{%- endmacro %}

{% macro check_var_names() %}
    {% set given = {} %}
    {% do given.update(adapter.config.vars.to_dict()) %}
    {% do given.update(adapter.config.cli_vars) %}
    {% set of_project = given.pop(project_name, {}) %}
    {% if of_project is mapping %}{% do given.update(of_project) %}{% endif %}
    {% for name in given if name not in option_names() %}
        {{ exceptions.raise_compiler_error(
            "There is no var '" ~ name ~ "' (its value is '" ~ given[name] ~ "'). Did you mean "
            ~ nearest_names(name, option_names(), 1) | replace(', …', '') ~ "? The vars are "
            ~ option_names() | join(', ') ~ "."
        ) }}
    {% endfor %}
{% endmacro %}

{% macro check_timezone() %}
    {% set zone = var('reporting_timezone', 'UTC') %}
    {% set is_known = "SELECT count() FROM system.time_zones WHERE time_zone = " ~ text_value(zone) %}
    {% if zone is not string or not count_of(is_known) %}
        {% set nearest = run_query(
            "SELECT time_zone FROM system.time_zones
            ORDER BY " ~ unlikeness('time_zone', zone) ~ ", time_zone LIMIT 1"
        ).rows[0][0] %}
        {% do refuse_var('reporting_timezone', zone, "it must be a zone of the tz database, such as " ~ nearest ~ ".") %}
    {% endif %}
{% endmacro %}

{% macro check_as_of_date() %}
    {% set date = as_of_date_var() %}
    {% set loads = "(SELECT batch_date, argMax(load_ids, (committed_at, commit_id)) AS load_ids FROM "
        ~ raw_table('loads') ~ " GROUP BY batch_date)" %}
    {% if date and count_of("SELECT count() FROM " ~ loads ~ " WHERE notEmpty(load_ids)") %}
        {% set last = run_query("SELECT toString((" ~ last_whole_date(loads) ~ "))").rows[0][0] %}
        {% if date > last %}
            {% do refuse_var('as_of_date', date, "it must not be after " ~ last ~ ", the last date that had ended in "
                ~ var('reporting_timezone', 'UTC') ~ " by the end, in UTC, of the latest batch date loaded.") %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# Experiments and variants that vars name must have been seen. A mistyped control would compare with nobody. #}
{% macro check_experiments() %}
    {% set named = {} %}
    {% for experiment, variant in var('ab_control_variants', {}).items() %}
        {% do named.update({('ab_control_variants', experiment): [variant]}) %}
    {% endfor %}
    {% for experiment, shares in var('ab_expected_shares', {}).items() %}
        {% do named.update({('ab_expected_shares', experiment): shares.keys() | list}) %}
    {% endfor %}
    {% if named %}
        {% set seen = {} %}
        {% for row in run_query(
            "SELECT DISTINCT toString(experiment_id), toString(variant) FROM " ~ raw_table('ab_test_assignments')
        ).rows %}
            {% do seen.setdefault(row[0], []).append(row[1]) %}
        {% endfor %}
        {% for key, variants in named.items() %}
            {% set experiment = key[1] | string %}
            {% if experiment not in seen %}
                {{ exceptions.raise_compiler_error(
                    "The var " ~ key[0] ~ " names the experiment '" ~ experiment ~ "', which nobody was ever assigned to; "
                    ~ ("experiments are: " ~ nearest_names(experiment, seen.keys() | list, 20) if seen
                        else "no assignment is loaded") ~ "."
                ) }}
            {% endif %}
            {% for variant in variants if variant | string not in seen[experiment] %}
                {{ exceptions.raise_compiler_error(
                    "The var " ~ key[0] ~ " names the variant '" ~ variant ~ "' of the experiment '" ~ experiment
                    ~ "', which nobody was ever assigned to; its variants are: "
                    ~ nearest_names(variant, seen[experiment], 20) ~ "."
                ) }}
            {% endfor %}
        {% endfor %}
    {% endif %}
{% endmacro %}
