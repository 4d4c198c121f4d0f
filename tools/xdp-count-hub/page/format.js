// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Numbers and times for people. Counts come as strings of digits: a number here is exact up to 2^53
// alone.

const units = ["", " k", " M", " G", " T", " P"];

// 1234567 -> "1.23 M"
export function short(value) {
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit + 1 < units.length) {
    scaled /= 1000;
    ++unit;
  }
  const digits = unit === 0 && Number.isInteger(value) ? 0 : scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
  return scaled.toFixed(digits) + units[unit];
}

// The same for round numbers: 3000 -> "3 k"
export function brief(value) {
  return short(value).replace(/(\.\d*?)0+( |$)/, "$1$2").replace(/\.( |$)/, "$1");
}

// "1234567" -> "1,234,567"
export function grouped(digits) {
  return digits.replace(/\B(?=(\d{3})+$)/g, ",");
}

// ms since the Unix epoch
export function clock(time) {
  return new Date(time).toLocaleTimeString(undefined, { hourCycle: "h23" });
}

export function hourAndMinute(time) {
  return new Date(time).toLocaleTimeString(undefined, { hourCycle: "h23", hour: "2-digit", minute: "2-digit" });
}

// How long before `now` that was, in the largest unit that fits.
export function ago(time, now) {
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 2) return "now";
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} d ago`;
}

// For a program, or to be read closely; empty for a time that no calendar has.
export function exact(time) {
  const date = new Date(time);
  return isNaN(date) ? "" : date.toISOString();
}

// "Nov 20, 03:12", and the year where it is another one.
export function dayAndTime(time) {
  const date = new Date(time);
  const year = date.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  return date.toLocaleString(undefined, { ...year, month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

// Seconds, in the largest unit that fits.
export function duration(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}
