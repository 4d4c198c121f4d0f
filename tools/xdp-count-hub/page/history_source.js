// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What the hub recorded, as it answers under api/v1/history. Counts are strings of digits here: a
// number would be exact up to 2^53 alone.

// The digits of counts, quoted. In a text a quote is escaped, so that no text is taken for a count.
const exactCounts = (text) => text.replace(/("(?:packets|bytes|rows)":)(\d+)/g, '$1"$2"');

// What an agent is called there: its socket's file, without the ending.
export function recordedName(agent) {
  try {
    return decodeURIComponent(agent).replace(/\.sock$/, "");
  } catch {
    return agent;
  }
}

// Throws an Error with the hub's own words.
export async function askHistory(what, fields, signal) {
  const response = await fetch(`api/v1/history/${what}?${new URLSearchParams(fields)}`, { signal });
  const answer = JSON.parse(exactCounts(await response.text()));
  if (answer.error) throw new Error(answer.error);
  return answer;
}

// Whether there is anything of an agent, under its name there.
export async function isRecorded(name, signal) {
  const { last } = await askHistory("gaps", { from: "-1m" }, signal);
  return last.some(({ agent }) => agent === name);
}
