// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "page_selection.hpp"

#include <doctest/doctest.h>

#include "base/address.hpp"

using namespace xdp_count;

TEST_CASE("a page's address says what is looked at") {
  const PageSelection nothing = parse_page_selection("");
  CHECK(nothing.agent.empty());
  CHECK(nothing.error.empty());
  CHECK(nothing.rows == TopRequest{.selection = {.top = 50, .trend = 60}});

  const PageSelection all = parse_page_selection(
      "agent=%3Cb%3Eeth0&by=bytes&prefix=2001%3Adb8%3A%3A%2F32&family=ipv6&top=7&");
  CHECK(all.agent == "<b>eth0");
  CHECK(all.error.empty());
  CHECK(all.rows == TopRequest{.selection = {.top = 7,
                                             .by = SortKey::bytes,
                                             .prefix = parse_prefix("2001:db8::/32"),
                                             .family = Family::ipv6,
                                             .trend = 60}});

  const PageSelection sums = parse_page_selection("group=24,48&prefix=");
  REQUIRE(sums.rows.group);
  CHECK(sums.rows.group->of(Family::ipv4) == 24u);
  CHECK(sums.rows.group->of(Family::ipv6) == 48u);
  CHECK(sums.rows.selection.trend == 0);
}

TEST_CASE("what is wrong in a page's address is said, and the agent is known still") {
  for (const auto& [query, error] : {
           std::pair{"agent=eth0&prefix=192.0.2.1%2F24", "192.0.2.0/24"},
           std::pair{"agent=eth0&prefix=nonsense", "expected an address or a network"},
           std::pair{"agent=eth0&by=colour", "there is no such order"},
           std::pair{"agent=eth0&family=ipx", "expected ipv4 or ipv6"},
           std::pair{"agent=eth0&group=24", "expected two lengths"},
           std::pair{"agent=eth0&group=33,48", "expected two lengths"},
           std::pair{"agent=eth0&group=24,129", "expected two lengths"},
           std::pair{"agent=eth0&group=-1,48", "expected two lengths"},
           std::pair{"agent=eth0&top=501", "at most 500"},
           std::pair{"agent=eth0&top=1e3", "at most 500"},
           std::pair{"agent=eth0&x=1", "does not know"},
       }) {
    const PageSelection page = parse_page_selection(query);
    CHECK(page.agent == "eth0");
    CHECK_MESSAGE(page.error.find(error) != page.error.npos, query, ": ", page.error);
  }
}

TEST_CASE("escapes that are none stand for themselves") {
  CHECK(parse_page_selection("agent=a+b%2").agent == "a b%2");
  CHECK(parse_page_selection("agent=%").agent == "%");
  CHECK(parse_page_selection("agent=%zz%-1%41").agent == "%zz%-1A");
  CHECK(parse_page_selection("&&&=&=x").error.find("does not know") != std::string::npos);
  CHECK(parse_page_selection("agent").agent.empty());
}
