//! The marts: one file each, as definitions.

mod ab_test_results;
mod activity_daily;
mod conversion;
mod ltv;
mod retention;
mod revenue;
mod subscription_retention;
mod task_success_daily;

use crate::model::Model;

/// Every mart.
pub fn models() -> Vec<Model> {
    vec![
        activity_daily::model(),
        task_success_daily::model(),
        retention::model(),
        revenue::model(),
        conversion::model(),
        ltv::model(),
        subscription_retention::model(),
        ab_test_results::model(),
    ]
}
