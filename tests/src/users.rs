//! Servers with users of their own. The local engine takes users from XML only.

use std::fs;

use local_clickhouse::Server;
use tempfile::TempDir;

use crate::world::server_with;

/// The password of every user but `default`, who has none.
pub const PASSWORD: &str = "geheim-password";

/// A user of a [`UserServer`].
#[derive(Debug, Clone, Default)]
pub struct User {
    /// Its name.
    pub name: &'static str,
    /// What it is granted, each like `SELECT ON raw.*`; `None` for all there is.
    pub grants: Option<Vec<String>>,
    /// What its profile says, as XML.
    pub profile: &'static str,
    /// What its quota says, as XML.
    pub quota: &'static str,
}

/// A server that knows some users, and asks for a grant to read any table of `system`, as installed ones do.
#[derive(Debug)]
pub struct UserServer {
    /// The server.
    pub server: Server,
    // It looks at its users' file now and then.
    _folder: TempDir,
}

impl UserServer {
    /// A server of that name, on an empty folder.
    ///
    /// # Panics
    /// Where the engine is missing, or refuses the users.
    pub fn new(name: &str, users: &[User]) -> UserServer {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("users.xml");
        let of = |element: fn(&User) -> String| users.iter().map(element).collect::<String>();
        let profiles = of(|user| format!("<{0}>{1}</{0}>", user.name, user.profile));
        let quotas = of(|user| format!("<{0}>{1}</{0}>", user.name, user.quota));
        let entries = of(|user| {
            let grants = user.grants.as_ref().map(|grants| {
                let queries: Vec<String> =
                    grants.iter().map(|grant| format!("<query>GRANT {grant}</query>")).collect();
                format!("<grants>{}</grants>", queries.concat())
            });
            format!(
                "<{0}><password>{PASSWORD}</password><networks><ip>::/0</ip></networks><profile>{0}</profile>\
                 <quota>{0}</quota>{1}</{0}>",
                user.name,
                grants.unwrap_or_default()
            )
        });
        let users = format!(
            "<clickhouse><profiles><default/>{profiles}</profiles><quotas><default/>{quotas}</quotas><users>\
             <default><password></password><networks><ip>::/0</ip></networks></default>{entries}</users></clickhouse>"
        );
        fs::write(&file, users).expect("the users are written");
        let config = format!(
            "<clickhouse><users_config>{}</users_config><access_control_improvements>\
             <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>\
             </access_control_improvements></clickhouse>",
            file.display()
        );
        let server = server_with(name, |builder| builder.extra_config(config));
        UserServer { server, _folder: folder }
    }
}
