// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "view/table_view.hpp"

namespace xdp_count {
namespace {

SnapshotHead some_head() {
  return {.time = 1'795'176'000'123,
          .interval = 1,
          .interface = "eth0",
          .mode = XdpMode::native,
          .frames = {{1'234'567, 0}, {1500, 2.5e9}},
          .classes =
              {{{{1'234'000, 0}, {}}, {{500, 0}, {}}, {{60, 0}, {}}, {{7, 0}, {}}, {{0, 0}, {}}}},
          .tracked = 2,
          .capacity = 262'144};
}

// Another one is first in the order of each key.
std::vector<SourceRow> some_rows() {
  return {{.address = 0x0a000001, .total = {10, 100}, .rates = {400, 100}},
          {.address = 0x0a000002, .total = {20, 200}, .rates = {300, 4000}},
          {.address = 0x0a000003, .total = {40, 300}, .rates = {200, 3000}},
          {.address = 0xc0000201, .total = {30, 50'000}, .rates = {100, 2000}}};
}

LiveView showing(ScreenSize size, LiveView::Settings settings = {}) {
  LiveView view(settings);
  view.resize(size);
  view.show(SnapshotMessage{some_head(), some_rows()});
  return view;
}

void type(LiveView& view, const std::string& keys) {
  for (const char key : keys) CHECK(view.press(key));
}

// The screen as text, each line without the blanks at its end.
std::string drawn(const LiveView& view) {
  std::string text;
  for (const ScreenLine& line : view.screen().lines) {
    std::string whole;
    for (const Span& span : line) whole += span.text;
    whole.erase(whole.find_last_not_of(' ') + 1);
    text += whole + "\n";
  }
  return text;
}

// The sources shown, in order, as the last numbers of their addresses.
std::string order(const LiveView& view) {
  std::string text;
  for (const ScreenLine& line : view.screen().lines)
    if (!line.empty() &&
        (line[0].text.starts_with("10.0.0.") || line[0].text.starts_with("192.0.2.")))
      text += line[0].text.substr(0, line[0].text.find(' ')).back();
  return text;
}

bool contains(const LiveView& view, const std::string& text) {
  return drawn(view).find(text) != std::string::npos;
}

TEST_CASE("at 80 columns and 12 rows the head is short") {
  CHECK(drawn(showing({80, 12})) == R"(eth0  native  12:00:00Z  by pps
1.5 kframes/s  2.5 Gbit/s
ipv4 1.2 M  ipv6 500  arp 60  other 7
SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES TREND
10.0.0.1           400.0     100.0         10       100                        █
10.0.0.2           300.0      4.0 k        20       200                        █
10.0.0.3           200.0      3.0 k        40       300                        █
192.0.2.1          100.0      2.0 k        30    50.0 k                        █



h help  q quit
)");
}

TEST_CASE("a snapshot whose interval was cut short has no rates, and no part in the trends") {
  LiveView view = showing({80, 12});
  SnapshotHead head = some_head();
  head.partial = true;
  view.show(SnapshotMessage{head, some_rows()});
  CHECK(drawn(view).starts_with(
      R"(eth0  native  1.000 s, too short for rates  2026-11-20T12:00:00.123Z
1,234,567 frames  tracked 2 of 262,144  untracked 0 packets  evicted 0 packets
ipv4 1,234,000  ipv6 500  arp 60  other 7  malformed 0
by pps
SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES TREND
10.0.0.1               -         -         10       100                        █
)"));
  view.resize({80, 11});
  CHECK(drawn(view).starts_with(R"(eth0  native  12:00:00Z  by pps
ipv4 1.2 M  ipv6 500  arp 60  other 7
SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES TREND
10.0.0.1               -         -         10       100                        █
)"));
}

TEST_CASE("at 80 columns and 24 rows there are totals and classes in full") {
  const std::string text = drawn(showing({80, 24}));
  CHECK(text.substr(0, text.find("SOURCE")) ==
        R"(eth0  native  every 1.0 s  2026-11-20T12:00:00.123Z
1,234,567 frames  1.5 kframes/s  2.5 Gbit/s  tracked 2 of 262,144
untracked 0 packets  evicted 0 packets
ipv4 1,234,000  ipv6 500  arp 60  other 7  malformed 0
by pps
)");
  CHECK(std::count(text.begin(), text.end(), '\n') == 24);
}

TEST_CASE("at 40 columns and 10 rows there is room for what matters") {
  LiveView view = showing({40, 10});
  CHECK(drawn(view) == R"(eth0  native  12:00:00Z  by pps
1.5 kframes/s  2.5 Gbit/s
ipv4 1.2 M  ipv6 500  arp 60  other 7
SOURCE          PACKETS/S    BITS/S
10.0.0.1           400.0     100.0     █
10.0.0.2           300.0      4.0 k    █
10.0.0.3           200.0      3.0 k    █
192.0.2.1          100.0      2.0 k    █

h help  q quit
)");
}

TEST_CASE("wide screens have the exact totals") {
  CHECK(
      contains(showing({100, 12}),
               "192.0.2.1            100.0        2.0 k                30                50,000"));
}

TEST_CASE("no size breaks the view, and nothing is drawn outside of it") {
  for (const bool lost : {false, true})
    for (std::size_t columns = 0; columns <= 130; columns += columns < 30 ? 1 : 10)
      for (std::size_t rows = 0; rows <= 30; ++rows) {
        LiveView view = showing({columns, rows});
        if (lost) view.agent_lost("a reason that is longer than the narrow screens are wide");
        type(view, "h/10.0.0.0/8");
        const Screen screen = view.screen();
        CAPTURE(columns);
        CAPTURE(rows);
        REQUIRE(screen.lines.size() == rows);
        for (const ScreenLine& line : screen.lines) {
          std::size_t width = 0;
          for (const Span& span : line) width += text_width(span.text);
          REQUIRE(width <= columns);
        }
        if (columns > 0 && rows > 0) REQUIRE(screen.cursor.value() < columns);
      }
}

TEST_CASE("keys sort at once, and change what is subscribed to") {
  LiveView view = showing({80, 24});
  CHECK(order(view) == "1231");
  struct Case {
    char key;
    SortKey by;
    std::string order;
    std::string name;
  };
  for (const Case& c :
       {Case{'b', SortKey::bps, "2311", "by bps"},
        Case{'P', SortKey::packets, "3121", "by packets"},
        Case{'B', SortKey::bytes, "1321", "by bytes"}, Case{'p', SortKey::pps, "1231", "by pps"}}) {
    CHECK(view.press(c.key));
    CHECK(view.selection().by == c.by);
    CHECK(order(view) == c.order);
    CHECK(contains(view, "\n" + c.name + "\n"));
  }
}

TEST_CASE("as many sources are asked for as fit, or as were asked for") {
  CHECK(showing({80, 24}).selection().top == 24);
  CHECK(showing({80, 50}).selection().top == 50);
  CHECK(showing({80, 20'000}).selection().top == max_top);
  LiveView view = showing({80, 24}, {.most_rows = 2});
  CHECK(view.selection().top == 2);
  CHECK(order(view) == "12");
}

TEST_CASE("a typed prefix filters at once, and nothing typed shows all again") {
  LiveView view = showing({80, 24});
  type(view, "/10.0.0.2/31");
  CHECK(contains(view, "\nprefix (empty: all): 10.0.0.2/31\n"));
  CHECK(view.screen().cursor == 32);
  CHECK_FALSE(view.selection().prefix.has_value());
  view.press(key::enter);
  CHECK((view.selection().prefix == Prefix{0x0a000002, 31}));
  CHECK(order(view) == "23");
  CHECK(contains(view, "\nby pps  prefix 10.0.0.2/31\n"));
  CHECK_FALSE(view.screen().cursor.has_value());
  type(view, "/\n");
  CHECK_FALSE(view.selection().prefix.has_value());
  CHECK(order(view) == "1231");
}

TEST_CASE("a prefix that is none is complained about until the next key, and changes nothing") {
  LiveView view = showing({80, 24}, {.prefix = Prefix{0x0a000000, 8}});
  for (const std::string bad : {"10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "x", "/"}) {
    type(view, "/" + bad + "\n");
    CHECK((view.selection().prefix == Prefix{0x0a000000, 8}));
    CHECK(contains(view, "not a network: '" + bad + "' (one is 192.0.2.0/24)"));
  }
  view.press('p');
  CHECK_FALSE(contains(view, "not a network"));
}

TEST_CASE("what is typed can be mended and given up") {
  LiveView view = showing({80, 24});
  type(view, "/qx");
  view.press(key::erase);
  CHECK(contains(view, "prefix (empty: all): q\n"));
  view.press(key::erase);
  view.press(key::erase);
  type(view, "1");
  view.press(key::erase_line);
  type(view, " 10.0.0.0/8");
  view.press(0);
  view.press(0x1f600);
  CHECK(contains(view, "prefix (empty: all): 10.0.0.0/8\n"));
  type(view, std::string(100, '9'));
  CHECK(contains(view, "prefix (empty: all): 10.0.0.0/899999999\n"));
  view.press(key::escape);
  CHECK_FALSE(view.selection().prefix.has_value());
  CHECK(contains(view, "h help  q quit"));
}

TEST_CASE("a pause keeps the picture, and its end shows the newest") {
  LiveView view = showing({80, 24});
  view.press(' ');
  CHECK(contains(view, "\nby pps  paused\n"));
  const std::string before = drawn(view);
  SnapshotHead later = some_head();
  later.time += 1000;
  view.show(SnapshotMessage{later, {some_rows()[3]}});
  CHECK(drawn(view) == before);
  view.press('b');
  CHECK(order(view) == "2311");
  view.press(' ');
  CHECK(order(view) == "1");
  CHECK(contains(view, "12:00:01.123Z"));
  CHECK_FALSE(contains(view, "paused"));
}

TEST_CASE("sources that come between two snapshots are shown, and are none of the trend's") {
  LiveView view = showing({80, 24});
  view.show(SourcesMessage{.rows = {some_rows()[2]}});
  CHECK(order(view) == "3");
  CHECK(contains(view, "                       █\n"));
  CHECK_FALSE(contains(view, "██"));
}

TEST_CASE("before the first snapshot it says that it waits") {
  LiveView view({});
  CHECK(drawn(view).find("waiting for the next snapshot  by pps\nSOURCE") == 0);
  view.show(SourcesMessage{.rows = some_rows()});
  CHECK(order(view) == "1231");
}

TEST_CASE("an agent that has gone is said first, with the last sources, until it is back") {
  LiveView view = showing({80, 24});
  view.agent_lost("the agent says goodbye: stopped by SIGTERM");
  CHECK(drawn(view).find(
            "no agent; trying again: the agent says goodbye: stopped by SIGTERM\neth0  native") ==
        0);
  CHECK(order(view) == "1231");
  view.agent_restored();
  CHECK(drawn(view).find("waiting for the next snapshot  by pps\n") == 0);
  CHECK(order(view) == "1231");
  view.show(SnapshotMessage{some_head(), {some_rows()[2]}});
  CHECK(drawn(view).find("eth0  native") == 0);
  CHECK(order(view) == "3");
}

TEST_CASE("help is shown and hidden, and q ends") {
  for (const char key : {'h', '?'}) {
    LiveView view = showing({80, 24});
    const std::string without = drawn(view);
    CHECK(view.press(key));
    CHECK(contains(view,
                   "\nsort: p packets/s  b bits/s  P packets  B bytes   / prefix  "
                   "space pause  q quit\n"));
    view.resize({40, 24});
    CHECK(contains(view, "\npbPB sort  / prefix  space pause  q quit\n"));
    view.resize({80, 24});
    CHECK(view.press(key));
    CHECK(drawn(view) == without);
    CHECK_FALSE(view.press('q'));
  }
}

TEST_CASE("terminals without UTF-8 get trends in ASCII") {
  CHECK(contains(showing({80, 24}, {.utf8 = false}), "                       #\n"));
}

}  // namespace
}  // namespace xdp_count
