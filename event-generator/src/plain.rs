//! Payloads of the product's own events, described once for every way of writing them.

use crate::draw::{Draw, Topic, key};
use crate::fact::{Fact, Plain, What};
use crate::world::{BADGES, CAMPAIGNS, COMMENTS, COURSES, PAGES, QUERIES, SOURCES};

/// Something that writes a payload. Keys come in alphabetical order at every level.
pub(crate) trait Fields {
    /// A text without anything JSON escapes.
    fn text(&mut self, key: &'static str, value: &str);
    /// Any text.
    fn prose(&mut self, key: &'static str, value: &str);
    fn integer(&mut self, key: &'static str, value: u32);
    /// A number with two digits after the point.
    fn hundredths(&mut self, key: &'static str, value: u32);
    fn flag(&mut self, key: &'static str, value: bool);
    fn null(&mut self, key: &'static str);
    /// Texts without anything JSON escapes.
    fn list(&mut self, key: &'static str, values: &[&str]);
    /// `{course}/{lesson}` with two digits for the lesson.
    fn lesson(&mut self, key: &'static str, course: &str, lesson: u8);
    fn object(&mut self, key: &'static str, fill: impl FnOnce(&mut Self));
}

/// Tells a plain event's payload.
pub(crate) fn describe(fact: &Fact, plain: Plain, fields: &mut impl Fields) {
    let mut draw = Draw::new(key(fact.key, Topic::Details, 0));
    let draw = &mut draw;
    let course = &COURSES[usize::from(plain.course)];
    match plain.what {
        What::AppOpened => {
            fields.flag("cold_start", draw.chance(700));
            fields.integer("load_ms", 180 + draw.below(2400));
            fields.text("network", draw.pick(&["wifi", "4g", "5g", "offline"]));
        }
        What::PageViewed => {
            fields.text("path", draw.pick(&PAGES));
            fields.integer("scroll_pct", draw.below(101));
            if draw.chance(250) {
                let (campaign, source) = (draw.pick(&CAMPAIGNS), draw.pick(&SOURCES));
                fields.object("utm", |utm| {
                    utm.text("campaign", campaign);
                    utm.text("source", source);
                    utm.list("tags", &["spring", source]);
                });
            } else {
                fields.null("utm");
            }
        }
        What::LessonOpened => {
            fields.text("course_id", course.id);
            fields.lesson("lesson_id", course.id, plain.lesson);
            fields.integer("position", draw.below(40));
            fields.text("source", draw.pick(&SOURCES));
            if draw.chance(600) {
                fields.text("title", course.title);
            }
        }
        What::VideoWatched => {
            fields.text("course_id", course.id);
            fields.lesson("lesson_id", course.id, plain.lesson);
            let length = 60 + draw.below(900);
            let watched = draw.below(length + 1);
            fields.hundredths("progress", watched * 100 / length);
            let (quality, speed) =
                (draw.pick(&[360, 480, 720, 1080]), draw.pick(&[100, 100, 100, 125, 150, 200]));
            fields.object("video", |video| {
                video.integer("length_s", length);
                video.integer("quality", quality);
                video.hundredths("speed", speed);
            });
            fields.integer("watched_s", watched);
        }
        What::LessonCompleted => {
            fields.text("course_id", course.id);
            fields.lesson("lesson_id", course.id, plain.lesson);
            fields.integer("minutes", 2 + draw.below(38));
            fields.integer("stars", 1 + draw.below(3));
        }
        What::SearchPerformed => {
            fields.object("filters", |filters| {
                filters.flag("free_only", draw.chance(300));
                filters.list("levels", draw.pick(&[&[][..], &["a1", "a2"], &["b1"]]));
            });
            fields.text("query", draw.pick(&QUERIES));
            fields.integer("results", draw.below(60));
        }
        What::NotificationOpened => {
            fields.text("campaign", draw.pick(&CAMPAIGNS));
            fields.integer("delay_s", draw.below(7200));
            fields.text("kind", draw.pick(&["streak", "reminder", "new_lesson"]));
        }
        What::AchievementUnlocked => {
            fields.text("badge", draw.pick(&BADGES));
            fields.integer("streak_days", 1 + draw.below(60));
            fields.integer("xp", 10 * (1 + draw.below(25)));
        }
        What::FeedbackSent => {
            let comment = draw.pick(&COMMENTS);
            // A few people have a lot to say.
            let times = if draw.chance(30) { 20 + draw.below(30) as usize } else { 1 };
            fields.prose("comment", &[comment].repeat(times).join(" "));
            fields.integer("rating", 1 + draw.below(5));
        }
    }
}
