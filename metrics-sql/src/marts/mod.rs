//! The marts: one file each, as definitions.

mod activity_daily;

use crate::model::Model;

/// Every mart.
pub fn models() -> Vec<Model> {
    vec![activity_daily::model()]
}
