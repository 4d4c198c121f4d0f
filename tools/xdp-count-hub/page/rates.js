// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause

// What a row's source sent a second in each slice of its trend; `slices`: how long they are, in
// seconds. A row that was not followed as long has fewer.
export function ratesOf(row, slices) {
  const values = row.trend ?? [];
  return values.map((packets, i) => packets / slices[slices.length - values.length + i]);
}
