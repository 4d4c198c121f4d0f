// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "base/nearest_word.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace xdp_count {
namespace {

TEST_CASE("the distance of two words is how many slips of the fingers make one of the other") {
  struct Case {
    std::string left;
    std::string right;
    std::size_t distance;
  };
  for (const Case& c : {Case{"", "", 0}, Case{"", "abc", 3}, Case{"status", "status", 0},
                        Case{"staus", "status", 1},    // one is missing
                        Case{"statuss", "status", 1},  // one is too much
                        Case{"stotus", "status", 1},   // one is another
                        Case{"sattus", "status", 1},   // two are swapped
                        Case{"ab", "ba", 1}, Case{"abcd", "badc", 2}, Case{"kitten", "sitting", 3},
                        Case{"ca", "abc", 3},  // with places changed twice it would be 2
                        Case{"abc", "xyz", 3}}) {
    CAPTURE(c.left);
    CHECK(edit_distance(c.left, c.right) == c.distance);
    CHECK(edit_distance(c.right, c.left) == c.distance);
  }
}

TEST_CASE("the nearest word is meant where at most one character in three is wrong") {
  const std::vector<std::string> commands{"top", "get", "list", "watch", "events", "status"};
  struct Case {
    std::string typed;
    std::string meant;
  };
  for (const Case& c :
       {Case{"staus", "status"}, Case{"tpo", "top"}, Case{"lst", "list"}, Case{"wtch", "watch"},
        Case{"event", "events"}, Case{"stats", "status"}, Case{"get", "get"}, Case{"", ""},
        Case{"x", ""}, Case{"show", ""}, Case{"got", "get"}, Case{"start-something", ""}}) {
    CAPTURE(c.typed);
    CHECK(nearest_word(c.typed, commands) == c.meant);
  }
  CHECK(nearest_word("ppz", {"pps", "ppx"}) == "pps");
  CHECK(nearest_word("bpps", {"pps", "bps"}) == "pps");
  CHECK(nearest_word("abcd", {"abef", "abce"}) == "abce");
  CHECK(nearest_word("abcd", {}) == "");
  CHECK(nearest_word(std::string(100'000, 'a'), commands) == "");
}

TEST_CASE("the question names the word, and is not asked without one") {
  CHECK(did_you_mean("jsn", {"table", "json"}) == "; did you mean json?");
  CHECK(did_you_mean("xml", {"table", "json"}) == "");
}

}  // namespace
}  // namespace xdp_count
