//! What an engine is told: its configuration file and its arguments.

use std::ffi::OsString;

use crate::data_dir::{DataDir, READY_FILE};

/// The configuration of every engine. The two logs live in memory: the `system` database does too, and log
/// tables left on disk would keep the engine from starting again.
pub(crate) const CONFIG: &str = "\
<clickhouse>
    <!-- Written at every start. Settings of your own: engine.d/*.xml beside this file. -->
    <max_server_memory_usage_to_ram_ratio>0.6</max_server_memory_usage_to_ram_ratio>
    <query_log>
        <database>system</database>
        <table>query_log</table>
        <engine>ENGINE = Memory SETTINGS max_rows_to_keep = 100000, min_rows_to_keep = 50000</engine>
        <flush_interval_milliseconds>1000</flush_interval_milliseconds>
    </query_log>
    <part_log>
        <database>system</database>
        <table>part_log</table>
        <engine>ENGINE = Memory SETTINGS max_rows_to_keep = 100000, min_rows_to_keep = 50000</engine>
        <flush_interval_milliseconds>1000</flush_interval_milliseconds>
    </part_log>
</clickhouse>
";

/// The arguments of `clickhouse local` that make a server of it. It opens both protocols, reports the ports in
/// [`READY_FILE`] of its working directory, and then reads its standard input until that ends.
pub(crate) fn arguments(data: &DataDir, http_port: u16, tcp_port: u16) -> Vec<OsString> {
    let option = |name: &str, value: OsString| {
        let mut option = OsString::from(format!("--{name}="));
        option.push(value);
        option
    };
    let queries = format!(
        "SYSTEM START LISTEN HTTP; \
         SYSTEM START LISTEN TCP; \
         SELECT getServerPort('http_port'), getServerPort('tcp_port') \
         INTO OUTFILE '{READY_FILE}' TRUNCATE FORMAT TSV; \
         SELECT count() FROM file('-', 'LineAsString') FORMAT Null"
    );
    vec![
        option("config-file", data.config_file().into()),
        option("path", data.engine_dir().into()),
        option("listen_host", "127.0.0.1".into()),
        option("http_port", http_port.to_string().into()),
        option("tcp_port", tcp_port.to_string().into()),
        option("query", queries.into()),
    ]
}
