//! The reference against results worked out by hand. (The corpus holds many more, line by line.)

mod calendar;
mod events;
mod json;
mod lines;
