// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/nearest_word.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace xdp_count {

std::size_t edit_distance(std::string_view left, std::string_view right) {
  // The distances of all beginnings of `right` from a beginning of `left`, and from the two
  // beginnings that are shorter by one and two characters.
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  std::vector<std::size_t> above(row.size());
  std::vector<std::size_t> two_above(row.size());
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::swap(two_above, above);
    std::swap(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
        row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
  }
  return row.back();
}

std::string nearest_word(std::string_view typed, const std::vector<std::string>& words) {
  std::size_t limit = (typed.size() + 2) / 3;
  std::string nearest;
  for (const std::string& word : words) {
    const std::size_t distance = edit_distance(typed, word);
    if (distance > limit || (distance == limit && !nearest.empty())) continue;
    nearest = word;
    limit = distance;
  }
  return nearest;
}

std::string did_you_mean(std::string_view typed, const std::vector<std::string>& words) {
  const std::string word = nearest_word(typed, words);
  return word.empty() ? "" : "; did you mean " + word + "?";
}

}  // namespace xdp_count
