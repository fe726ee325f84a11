//! The experiments have something to find.

use super::*;

#[test]
fn the_short_paywall_wins_more_users_and_a_few_users_see_both() {
    let plan = Plan::new("2026-03-01".parse().expect("a date"), 28, 40_000);
    let begins = start(&plan) + EXPERIMENTS[PAYWALL].first;
    let (mut users, mut won, mut crossed) = ([0_u32; 2], [0_u32; 2], 0_u32);
    for user in 0..40_000 {
        let Some(person) = Person::alive(&plan, user, begins, begins + 30) else { continue };
        let Some(met) = enrolment(&plan, &person, PAYWALL, 0) else { continue };
        if !person.is_active(met.day) {
            continue;
        }
        users[usize::from(met.variant)] += 1;
        won[usize::from(met.variant)] += u32::from(person.converts.is_some_and(|day| day >= met.day));
        crossed += (met.day..met.day + 7)
            .flat_map(|day| told_again_on(&plan, &person, day))
            .filter(|again| usize::from(again.experiment) == PAYWALL && again.variant != met.variant)
            .count() as u32;
    }
    let rate = |variant: usize| f64::from(won[variant]) / f64::from(users[variant]);
    assert!(users.iter().all(|users| *users > 1500), "{users:?}");
    assert!(rate(1) > rate(0) * 1.15, "{won:?} of {users:?}");
    assert!(crossed > 10 && crossed < users[0] / 10, "{crossed} of {users:?}");
}
