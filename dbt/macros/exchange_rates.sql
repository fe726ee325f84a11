{#
    Exchange rates. The seed is read as text, row by row, before it is loaded: ClickHouse would cut a rate that has more
    decimals than its type. And money is not made where a rate is missing.
#}

{# The columns of the seed. #}
{% macro exchange_rate_columns() %}{{ return(['from_currency', 'to_currency', 'valid_from', 'rate']) }}{% endmacro %}

{# Refuses the seed with the first row that does not hold (`pre-hook`). #}
{% macro check_exchange_rates() %}
    {% if execute %}
        {% set table = load_agate_table() %}
        {% set header = table.column_names | list %}
        {% if header != exchange_rate_columns() %}
            {{ exceptions.raise_compiler_error(
                "seeds/exchange_rates.csv begins with " ~ header | join(',') ~ "; its first line must be "
                ~ exchange_rate_columns() | join(',') ~ "."
            ) }}
        {% endif %}
        {% for row in table.rows %}
            {% set wrong = wrong_exchange_rate(row) %}
            {% if wrong %}
                {% set values = [] %}
                {% for value in row.values() %}{% do values.append(value or '') %}{% endfor %}
                {{ exceptions.raise_compiler_error(
                    "seeds/exchange_rates.csv, row " ~ loop.index ~ " below the header (" ~ values | join(',') ~ "): " ~ wrong
                ) }}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{# What is wrong with a row; empty where it holds. #}
{% macro wrong_exchange_rate(row) %}
    {% for name in ['from_currency', 'to_currency'] %}
        {% if not modules.re.fullmatch('[A-Z]{3}', row[name] or '') %}
            {{ return(name ~ " must be three capital letters such as USD.") }}
        {% endif %}
    {% endfor %}
    {% if not is_date(row['valid_from'] or '') %}
        {{ return("valid_from must be a date YYYY-MM-DD that the calendar has.") }}
    {% endif %}
    {% set rate = row['rate'] or '' %}
    {% if not modules.re.fullmatch('[0-9]+([.][0-9]+)?', rate) %}
        {{ return("the rate must be a number above 0, written as digits around one point.") }}
    {% endif %}
    {% set parts = rate.split('.') %}
    {% if parts | length > 1 and parts[1] | length > 12 %}
        {{ return("the rate has " ~ parts[1] | length ~ " decimals, and at most 12 are kept; round it yourself.") }}
    {% endif %}
    {% if parts[0].lstrip('0') | length > 26 %}
        {{ return("the rate has more than 26 digits before its point.") }}
    {% endif %}
    {% if not rate.replace('.', '').strip('0') %}{{ return("the rate must be above 0.") }}{% endif %}
    {{ return('') }}
{% endmacro %}

{# A seed whose columns have changed is made anew; dbt would insert into the former ones. #}
{% macro clickhouse__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% set types = model['config'].get('column_types', {}) %}
    {% set changed = namespace(found=false) %}
    {% set columns = {} %}
    {% for column in adapter.get_columns_in_relation(old_relation) %}
        {% do columns.update({column.name: column.dtype}) %}
    {% endfor %}
    {% for name in agate_table.column_names %}
        {% if name not in columns or columns[name] != types.get(name, columns[name]) %}
            {% set changed.found = true %}
        {% endif %}
    {% endfor %}
    {% set is_new = changed.found or columns | length != agate_table.column_names | length %}
    {{ return(default__reset_csv_table(model, full_refresh or is_new, old_relation, agate_table)) }}
{% endmacro %}

{#
    Stops where purchases or refunds that count have no rate on their day, with the currency, the day, how many rows, and
    one of their events. Stands before the model that needs the rates; those without money are built.
#}
{% macro refuse_missing_exchange_rates() %}
    {% set counted = ref('int_counted_purchases') %}
    {% set rates = ref('exchange_rates') %}
    {% if is_built_now() %}
        {% set rows = run_query(
            "SELECT currency, toString(event_date), count(), toString(argMin(event_id, (event_time, event_id))),
                count() OVER ()
            FROM " ~ counted ~ "
            LEFT JOIN (
                SELECT toString(from_currency) AS known, toNullable(min(valid_from)) AS known_from FROM " ~ rates ~ "
                WHERE to_currency = " ~ reporting_currency() ~ " GROUP BY from_currency
            ) AS rates ON known = currency
            WHERE (is_paid OR kind = 'refund') AND currency != " ~ reporting_currency() ~ "
                AND (known_from IS NULL OR event_date < known_from)
            GROUP BY currency, event_date ORDER BY event_date, currency LIMIT 5"
        ).rows %}
        {% if rows | length %}
            {% set lines = [] %}
            {% for row in rows %}
                {% do lines.append("  " ~ row[0] ~ " on " ~ row[1] ~ ": " ~ row[2] ~ (" rows" if row[2] | int > 1 else " row")
                    ~ ", such as the event " ~ row[3]) %}
            {% endfor %}
            {% set more = rows[0][4] | int - rows | length %}
            {% if more %}{% do lines.append("  and " ~ more ~ " more currencies and days") %}{% endif %}
            {{ exceptions.raise_compiler_error(
                "There is no exchange rate to " ~ var('reporting_currency', 'USD') ~ " for\n" ~ lines | join("\n")
                ~ "\nAdd rows to seeds/exchange_rates.csv (" ~ exchange_rate_columns() | join(',')
                ~ ") and run dbt build again. Models without money are not affected."
            ) }}
        {% endif %}
    {% endif %}
{% endmacro %}

{# Whether the model at hand is about to be built, not parsed, compiled or unit tested. #}
{% macro is_built_now() %}
    {{ return(execute and flags.WHICH in ['build', 'run', 'retry'] and model.resource_type == 'model') }}
{% endmacro %}
