// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What was meant by a word that was mistyped.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xdp_count {

// How many characters are to be inserted, left out or replaced, or neighbours to be swapped, to
// make one word of the other (Damerau-Levenshtein distance, no place being changed twice).
std::size_t edit_distance(std::string_view left, std::string_view right);

// The word that is nearest to `typed`, the first of those equally near; empty where none is near
// enough to be meant. At most one character in three may be wrong: with more, short words such as
// "get" and "top" are near to nearly anything, and a wrong guess is worse than none.
std::string nearest_word(std::string_view typed, const std::vector<std::string>& words);

// "; did you mean WORD?" with that word; empty where there is none.
std::string did_you_mean(std::string_view typed, const std::vector<std::string>& words);

}  // namespace xdp_count
