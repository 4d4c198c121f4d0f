// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/live_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

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

// What the agent sends: in the only slice each source has sent what its rates say, and nothing else
// within ten seconds.
SnapshotMessage snapshot_of(SnapshotHead head, std::vector<SourceRow> rows) {
  head.recent = {{{10, {15'000, 0}}, {60, {15'000, 0}}}};
  for (SourceRow& row : rows) {
    const Counts sent{static_cast<std::uint64_t>(row.rates.pps),
                      static_cast<std::uint64_t>(row.rates.bps / 8)};
    row.recent = {sent, std::nullopt};
    row.trend = {sent};
  }
  return {.head = head, .rows = rows, .slices = {1}};
}

LiveView showing(ScreenSize size, LiveView::Settings settings = {}) {
  LiveView view(settings);
  view.resize(size);
  view.show(snapshot_of(some_head(), some_rows()));
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

void require_fits(const LiveView& view, ScreenSize size) {
  CAPTURE(size.columns);
  CAPTURE(size.rows);
  const Screen screen = view.screen();
  REQUIRE(screen.lines.size() == size.rows);
  for (const ScreenLine& line : screen.lines) {
    std::size_t width = 0;
    for (const Span& span : line) width += text_width(span.text);
    REQUIRE(width <= size.columns);
  }
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

// The address of the selected row, where one is on the screen.
std::string marked(const LiveView& view) {
  for (const ScreenLine& line : view.screen().lines)
    if (!line.empty() && line[0].style == Style::selected)
      return line[0].text.substr(0, line[0].text.find(' '));
  return "";
}

bool contains(const LiveView& view, const std::string& text) {
  return drawn(view).find(text) != std::string::npos;
}

TEST_CASE("at 80 columns the head is three lines, and nothing stands alone") {
  CHECK(drawn(showing({80, 12})) == R"(eth0  native  every 1.0 s  2026-11-20T12:00:00.123Z  by pps
1,234,567 frames  1.5 kframes/s  2.5 Gbit/s  tracked 2 of 262,144
ipv4 1,234,000  ipv6 500  arp 60  other 7  malformed 0  untracked 0  evicted 0
SOURCE          PACKETS/S PKT/S 10S    BITS/S   PACKETS     BYTES TREND
10.0.0.1           400.0      40.0     100.0         10       100              █
10.0.0.2           300.0      30.0      4.0 k        20       200              █
10.0.0.3           200.0      20.0      3.0 k        40       300              █
192.0.2.1          100.0      10.0      2.0 k        30    50.0 k              █



h help  q quit
)");
}

TEST_CASE("counts are exact as long as those above zero fit their line") {
  SnapshotHead head = some_head();
  head.classes[0].counts.packets = 1'234'000'000;
  head.classes[3].counts.packets = 0;
  LiveView view({});
  view.resize({80, 12});
  view.show(snapshot_of(head, some_rows()));
  CHECK(contains(view, "\nipv4 1,234,000,000  ipv6 500  arp 60\n"));
}

TEST_CASE("rows of destinations and of pairs have their title, their details and their filter") {
  SnapshotHead head = some_head();
  head.row_kind = {FamilyChoice::both, CountBy::destination, {{24, 64}}};
  LiveView view({});
  view.resize({100, 12});
  view.show(snapshot_of(head, {{{0xc0000200, 24}, {20, 200}, {300, 4000}}}));
  CHECK(drawn(view).starts_with("eth0  native  by destination  IPv4 /24  IPv6 /64  every 1.0 s"));
  CHECK(contains(view, "\nDESTINATION "));
  CHECK(contains(view, "\n192.0.2.0/24 "));
  // A single address stands for the network that it is in.
  type(view, "/192.0.2.7\n");
  CHECK(contains(view, "in 192.0.2.7: 1 destination"));
  CHECK(contains(view, "\n192.0.2.0/24 "));
  // A part of one may be refused: then all rows are shown, until something else is typed.
  type(view, "/192.0.2.0/28\n");
  CHECK(view.selection().prefix == Prefix{0xc0000200, 28});
  view.filter_refused("the agent refuses that");
  CHECK_FALSE(view.selection().prefix);
  CHECK(contains(view, "\nthe agent refuses that"));
  CHECK(contains(view, "\n192.0.2.0/24 "));

  head.row_kind = {FamilyChoice::both, CountBy::pair, {{32, 64}}};
  SourceRow pair{0x0a000001, {20, 200}, {300, 4000}};
  pair.peer = Prefix(0xc0000201);
  SourceRow other = pair;
  other.peer = Prefix(0xc0000202);
  LiveView pairs({});
  pairs.resize({100, 12});
  pairs.show(snapshot_of(head, {pair, other}));
  CHECK(contains(pairs, "\nSOURCE > DESTINATION "));
  CHECK(contains(pairs, "\n10.0.0.1 > 192.0.2.1 "));
  pairs.press(key::down);
  pairs.press(key::down);
  pairs.press(key::enter);
  CHECK(contains(pairs, "\n10.0.0.1 > 192.0.2.2  first "));
}

TEST_CASE("counts that do not fit their line are rounded, and zeros go first") {
  SnapshotHead head = some_head();
  for (CountsAndRates& kind : head.classes) kind.counts.packets *= 1'000'000'007;
  head.untracked.of(Family::ipv4).packets = 123'456'789;
  LiveView view({});
  view.resize({100, 12});
  view.show(snapshot_of(head, some_rows()));
  CHECK(contains(view,
                 "\nipv4 1.2 P  ipv6 500.0 G  arp 60.0 G  other 7.0 G  malformed 0  "
                 "untracked 123.5 M  evicted 0\n"));
  view.resize({80, 12});
  CHECK(contains(view, "\nipv4 1.2 P  ipv6 500.0 G  arp 60.0 G  other 7.0 G  untracked 123.5 M\n"));
}

TEST_CASE("a snapshot whose interval was cut short has no rates but those over longer times") {
  LiveView view = showing({80, 12});
  SnapshotHead head = some_head();
  head.partial = true;
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with(
      R"(eth0  native  1.000 s, too short for rates  2026-11-20T12:00:00.123Z  by pps
1,234,567 frames  tracked 2 of 262,144
ipv4 1,234,000  ipv6 500  arp 60  other 7  malformed 0  untracked 0  evicted 0
SOURCE          PACKETS/S PKT/S 10S    BITS/S   PACKETS     BYTES TREND
10.0.0.1               -      40.0         -         10       100              █
)"));
  view.resize({30, 12});
  CHECK(drawn(view).starts_with(R"(eth0  native  by pps
ipv4 1.2 M  ipv6 500  arp 60
SOURCE          PACKETS/S
10.0.0.1               -     █
)"));
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

TEST_CASE("at 20 columns and 5 rows there is a source") {
  CHECK(drawn(showing({20, 5})) == R"(eth0  native  by pps
1.5 kframes/s
SOURCE
10.0.0.1           █
h help  3 more
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
        require_fits(view, {columns, rows});
        if (columns > 0 && rows > 0) REQUIRE(view.screen().cursor.value() < columns);
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
    CHECK(contains(view, "  " + c.name + "\n"));
  }
}

TEST_CASE("a screen more of sources is asked for than fits, or as many as were asked for") {
  CHECK(showing({80, 24}).selection().top == 48);
  CHECK(showing({80, 50}).selection().top == 100);
  CHECK(showing({80, 24}, {.prefix = Prefix{0x0a000000, 8}}).selection().top == 1000);
  CHECK(showing({80, 20'000}).selection().top == max_top);
  LiveView view = showing({80, 24}, {.most_rows = 2});
  CHECK(view.selection().top == 2);
  CHECK(order(view) == "12");
}

const Address short_ipv6{0x20010db800000000, 1};
const Address long_ipv6{0x20010db811112222, 0x3333444455556666};

// Those rows, and as many of IPv6.
std::vector<SourceRow> rows_of_both() {
  std::vector<SourceRow> rows = some_rows();
  rows.push_back({.address = long_ipv6, .total = {1'234'567, 98'765'432}, .rates = {350, 5e6}});
  rows.push_back({.address = short_ipv6, .total = {7, 420}, .rates = {50, 400}});
  return rows;
}

LiveView showing_both(ScreenSize size, LiveView::Settings settings = {}) {
  LiveView view(settings);
  view.resize(size);
  view.show(snapshot_of(some_head(), rows_of_both()));
  return view;
}

TEST_CASE("IPv6 sources have room at 80 columns, and the rest of it has what matters") {
  CHECK(drawn(showing_both({80, 12})) ==
        R"(eth0  native  every 1.0 s  2026-11-20T12:00:00.123Z  by pps
1,234,567 frames  1.5 kframes/s  2.5 Gbit/s  tracked 2 of 262,144
ipv4 1,234,000  ipv6 500  arp 60  other 7  malformed 0  untracked 0  evicted 0
SOURCE                                 PACKETS/S    BITS/S   PACKETS TREND
10.0.0.1                                  400.0     100.0         10           █
2001:db8:1111:2222:3333:4444:5555:6666    350.0      5.0 M     1.2 M           █
10.0.0.2                                  300.0      4.0 k        20           █
10.0.0.3                                  200.0      3.0 k        40           █
192.0.2.1                                 100.0      2.0 k        30           █
2001:db8::1                                50.0     400.0          7           █

h help  q quit
)");
}

TEST_CASE("on narrow screens long addresses lack their middle, and details show them whole") {
  LiveView view = showing_both({40, 16});
  CHECK(contains(view, R"(
SOURCE                         PACKETS/S
10.0.0.1                          400.0
2001:db8:1111...4444:5555:6666    350.0
)"));
  view.press('v');
  CHECK(drawn(view).starts_with("eth0  native  by pps  IPv4 alone\n"));
  view.press('v');
  view.press('v');
  view.press(key::down);
  view.press(key::down);
  view.press(key::enter);
  CHECK(
      contains(view, "\n2001:db8:1111:2222:3333:4444:5555:6666\nfirst 1970-01-01T00:00:00.000Z\n"));
  view.resize({20, 24});
  CHECK(contains(view, "\n2001:db8...5555:6666\n"));
  CHECK(contains(view, "\n2001:db8:1111:2222:3\n333:4444:5555:6666\nfirst"));
  for (std::size_t columns = 0; columns < 120; ++columns)
    for (const std::size_t rows : {0U, 1U, 5U, 10U, 24U}) {
      view.resize({columns, rows});
      require_fits(view, {columns, rows});
    }
}

TEST_CASE("the columns stay where they are while rows come and go, until others are asked for") {
  LiveView view = showing_both({80, 12});
  const std::string wide =
      "\nSOURCE                                 PACKETS/S    BITS/S   PACKETS TREND\n";
  const std::string narrow =
      "\nSOURCE          PACKETS/S PKT/S 10S    BITS/S   PACKETS     BYTES TREND\n";
  view.show(snapshot_of(some_head(), some_rows()));
  CHECK(contains(view, wide));
  view.press('b');
  CHECK(contains(view, narrow));
  // They grow when a longer one comes, and only for what is on the screen.
  view.show(snapshot_of(some_head(), rows_of_both()));
  CHECK(contains(view, wide));
  LiveView small = showing_both({80, 7});  // of two rows
  CHECK(contains(small, wide));
  small.press('P');
  small.press('p');
  CHECK(contains(small, wide));
  LiveView one = showing_both({80, 6});
  CHECK(contains(one, narrow));
  one.press(key::end);
  one.press(key::up);
  one.press(key::home);
  CHECK(contains(one, narrow));
  one.press(key::down);
  CHECK(contains(one, wide));
}

TEST_CASE("v shows each family alone, then both again, and asks the agents for it") {
  LiveView view = showing_both({80, 24});
  CHECK_FALSE(view.selection().family);
  CHECK_FALSE(contains(view, " alone"));
  view.press('v');
  CHECK(view.selection().family == Family::ipv4);
  CHECK(contains(view, "  by pps  IPv4 alone\n"));
  CHECK(order(view) == "1231");
  CHECK_FALSE(contains(view, "2001:"));
  view.press('v');
  CHECK(view.selection().family == Family::ipv6);
  CHECK(contains(view, "  by pps  IPv6 alone\n"));
  CHECK(order(view) == "");
  CHECK(contains(view, "\n2001:db8::1 "));
  view.press('v');
  CHECK_FALSE(view.selection().family);
  CHECK(order(view) == "1231");
  CHECK(contains(view, "\n2001:db8::1 "));
  CHECK(showing_both({80, 24}, {.family = Family::ipv6}).selection().family == Family::ipv6);
  // How many more there are of a family, an agent does not say.
  SnapshotHead head = some_head();
  head.tracked = 5000;
  std::vector<SourceRow> rows(48, {.address = short_ipv6});
  LiveView many({.family = Family::ipv6});
  many.resize({80, 24});
  many.show(snapshot_of(head, rows));
  CHECK(contains(many, "\nh help  q quit  29+ more\n"));
}

TEST_CASE("a network of IPv6 is typed as one of IPv4 is") {
  LiveView view = showing_both({80, 24});
  type(view, "/2001:DB8::/32\n");
  CHECK((view.selection().prefix == Prefix{{0x20010db800000000, 0}, 32}));
  CHECK(contains(view, "\nin 2001:db8::/32: 2 sources  400.0 packets/s  5.0 Mbit/s"));
  type(view, "/2001:db8::1/64\n");
  CHECK(contains(
      view, "\n2001:db8::1/64 has host bits set below the prefix; the network is 2001:db8::/64\n"));
  // On a narrow screen the end of what is typed is seen.
  view.press(key::escape);
  view.resize({30, 12});
  type(view, "/2001:db8:1111:2222:3333:4444::/96");
  CHECK(contains(view, "\nprefix: 1:2222:3333:4444::/96\n"));
  CHECK(view.screen().cursor == 29);
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
  CHECK(contains(view, "\nin 10.0.0.2/31: 2 sources  500.0 packets/s  7.0 kbit/s  60 packets"));
  CHECK_FALSE(view.screen().cursor.has_value());
  type(view, "/\n");
  CHECK_FALSE(view.selection().prefix.has_value());
  CHECK(order(view) == "1231");
}

TEST_CASE("a prefix that is none is complained about until the next key, and changes nothing") {
  LiveView view = showing({80, 24}, {.prefix = Prefix{0x0a000000, 8}});
  for (const std::string bad : {"10.0.0", "10.0.0.0/33", "x", "/"}) {
    type(view, "/" + bad + "\n");
    CHECK((view.selection().prefix == Prefix{0x0a000000, 8}));
    CHECK(contains(view, "\nnot a network: '" + bad +
                             "' (192.0.2.0/24 and 2001:db8::/32 are)\nprefix (empty: all): " + bad +
                             "\n"));
    CHECK(view.screen().cursor == 21 + bad.size());
    view.press(key::escape);
  }
  CHECK_FALSE(contains(view, "not a network"));
  type(view, "/10.0.0.1/8\n");
  CHECK((view.selection().prefix == Prefix{0x0a000000, 8}));
  CHECK(contains(view,
                 "\n10.0.0.1/8 has host bits set below the prefix; the network is 10.0.0.0/8\n"));
  view.press(key::erase);  // what was typed is there to be mended
  CHECK(contains(view, "\nprefix (empty: all): 10.0.0.1/\n"));
  view.press(key::erase);
  type(view, "\n");
  CHECK((view.selection().prefix == Prefix{0x0a000001, 32}));
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
  // As much as any IPv6 network takes.
  CHECK(contains(view, "prefix (empty: all): 10.0.0.0/8" + std::string(39, '9') + "\n"));
  view.press(key::escape);
  CHECK_FALSE(view.selection().prefix.has_value());
  CHECK(contains(view, "h help  q quit"));
}

TEST_CASE("a pause keeps the picture, and its end shows the newest") {
  LiveView view = showing({80, 24});
  view.press(' ');
  CHECK(contains(view, "  by pps  paused\n"));
  const std::string before = drawn(view);
  SnapshotHead later = some_head();
  later.time += 1000;
  view.show(snapshot_of(later, {some_rows()[3]}));
  CHECK(drawn(view) == before);
  view.press('b');
  CHECK(order(view) == "2311");
  view.press(' ');
  CHECK(order(view) == "1");
  CHECK(contains(view, "12:00:01.123Z"));
  CHECK_FALSE(contains(view, "paused"));
}

TEST_CASE("sources that come between two snapshots are shown, with their own trends") {
  LiveView view = showing({80, 24});
  SourceRow row = some_rows()[2];
  row.trend = {{0, 0}, {4, 0}, {8, 0}};
  view.show(SourcesMessage{.rows = {row}, .slices = {1, 1, 1}});
  CHECK(order(view) == "3");
  CHECK(contains(view, "  ·▄█\n"));
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
  view.show(snapshot_of(some_head(), {some_rows()[2]}));
  CHECK(drawn(view).find("eth0  native") == 0);
  CHECK(order(view) == "3");
}

TEST_CASE("help is shown and hidden, and q ends") {
  for (const char key : {'h', '?'}) {
    LiveView view = showing({80, 24});
    const std::string without = drawn(view);
    CHECK(view.press(key));
    CHECK(drawn(view).starts_with("Keys\n p b P B    sort by packets/s, bits/s, packets, bytes\n"));
    CHECK(contains(
        view,
        "\n untracked  packets of sources without room, or of a family that is not counted\n"));
    CHECK(contains(
        view, "\n TREND      packets/s or bits/s in each second, or longer interval, of the last"));
    CHECK(contains(view, "\nq quit  any other key: back\n"));
    CHECK(view.press(key));
    CHECK(drawn(view) == without);
    CHECK_FALSE(view.press('q'));
  }
}

TEST_CASE("on a small screen the help is scrolled, as far as there is any") {
  LiveView view = showing({40, 6});
  view.press('h');
  CHECK(drawn(view).starts_with("Keys\n"));
  CHECK(drawn(view).ends_with("\nspace: more  q quit  any other key: back\n"));
  view.press(key::down);
  CHECK(drawn(view).starts_with(" p b P B    sort by packets/s, bits/s,\n"));
  view.press(key::up);
  view.press(key::up);
  CHECK(drawn(view).starts_with("Keys\n"));
  for (int i = 0; i < 100; ++i) view.press(key::page_down);
  CHECK(drawn(view).ends_with("not known\nq quit  any other key: back\n"));
  view.press(key::page_up);
  CHECK_FALSE(contains(view, "blank: not known"));
  CHECK_FALSE(view.press('q'));
}

TEST_CASE("a key without a meaning is said to have none, until the next one") {
  LiveView view = showing({80, 24});
  view.press('x');
  CHECK(contains(view, "\n'x' is no key here; h shows all keys\n"));
  view.press(key::nameless);
  CHECK(contains(view, "\nthat is no key here; h shows all keys\n"));
  view.press('p');
  CHECK(contains(view, "\nh help  q quit"));
}

TEST_CASE("arrows select a row, which keeps its mark wherever the order puts it") {
  LiveView view = showing({80, 24});
  CHECK(marked(view) == "");
  view.press(key::down);
  CHECK(marked(view) == "10.0.0.1");
  view.press(key::down);
  CHECK(marked(view) == "10.0.0.2");
  view.press('b');
  CHECK(marked(view) == "10.0.0.2");
  view.press(key::down);
  CHECK(marked(view) == "10.0.0.3");
  view.press(key::end);
  view.press(key::down);
  CHECK(marked(view) == "10.0.0.1");
  view.press(key::up);
  CHECK(marked(view) == "192.0.2.1");
  view.press(key::home);
  view.press(key::up);
  CHECK(marked(view) == "10.0.0.2");
  view.press(key::escape);
  CHECK(marked(view) == "");
}

TEST_CASE("rows that do not fit are counted, and scrolled to") {
  SnapshotHead head = some_head();
  head.tracked = 50;
  std::vector<SourceRow> rows;
  for (std::uint32_t i = 0; i < 40; ++i)
    rows.push_back({.address = 0x0a000001 + i, .rates = {100.0 - i, 0}});
  LiveView view({});
  view.resize({80, 20});
  view.show(snapshot_of(head, rows));
  // There are 20 lines, less the head's three, the titles and the footer.
  CHECK(contains(view, "\n10.0.0.15 "));
  CHECK(contains(view, "\nh help  q quit  35 more\n"));
  CHECK(view.selection().top == 40);

  for (int i = 0; i < 16; ++i) view.press(key::down);
  CHECK(marked(view) == "10.0.0.16");
  CHECK_FALSE(contains(view, "\n10.0.0.1 "));
  CHECK(contains(view, "\nh help  q quit  1 above  34 more\n"));
  CHECK(view.selection().top == 60);
  view.press(key::page_down);
  CHECK(marked(view) == "10.0.0.31");
  CHECK(contains(view, "\nh help  q quit  16 above  19 more\n"));
  view.press(key::page_up);
  CHECK(marked(view) == "10.0.0.16");
  view.press(key::end);
  CHECK(marked(view) == "10.0.0.40");
  CHECK(contains(view, "\nh help  q quit  25 above  10 more\n"));
  // All there are are asked for, and the last of them is selected when they come.
  CHECK(view.selection().top == max_top);
  std::vector<SourceRow> all = rows;
  for (std::uint32_t i = 40; i < 50; ++i)
    all.push_back({.address = 0x0a000001 + i, .rates = {100.0 - i, 0}});
  view.show(snapshot_of(head, all));
  CHECK(marked(view) == "10.0.0.50");
  CHECK(contains(view, "\nh help  q quit  35 above\n"));
  CHECK(view.selection().top == max_top);
  view.press('k');
  CHECK(marked(view) == "10.0.0.49");
  CHECK(view.selection().top == 80);
  view.press('g');
  CHECK(marked(view) == "10.0.0.1");
  CHECK(contains(view, "\nh help  q quit  35 more\n"));
  view.press('j');
  CHECK(marked(view) == "10.0.0.2");
  view.show(snapshot_of(head, rows));

  // In a pause no more come.
  view.press(' ');
  view.press('G');
  CHECK(marked(view) == "10.0.0.40");
  CHECK(contains(view, "\nh help  q quit  25 above\n"));
  view.press(' ');

  // The marked row is kept in sight when the order changes.
  rows[39].rates.pps = 1000;
  ++head.seq;
  view.show(snapshot_of(head, rows));
  CHECK(marked(view) == "10.0.0.40");
  CHECK(contains(view, "\nh help  q quit  35 more\n"));
}

TEST_CASE("with a prefix, more rows than were asked for are of an unknown number") {
  SnapshotHead head = some_head();
  head.tracked = 2000;
  std::vector<SourceRow> rows;
  for (std::uint32_t i = 0; i < 1000; ++i) rows.push_back({.address = 0x0a000001 + i});
  LiveView view({.prefix = Prefix{0x0a000000, 8}});
  view.resize({80, 20});
  view.show(snapshot_of(head, rows));
  CHECK(contains(view, "\nin 10.0.0.0/8: first 1,000 sources  "));
  CHECK(contains(view, "\nh help  q quit  986+ more\n"));
  rows.pop_back();
  view.show(snapshot_of(head, rows));
  CHECK(contains(view, "\nin 10.0.0.0/8: 999 sources  "));
  CHECK(contains(view, "\nh help  q quit  985 more\n"));
}

TEST_CASE("the selected row has its details below, exact, with averages since its first packet") {
  std::vector<SourceRow> rows = some_rows();
  rows[1].first_time = some_head().time - 9'000;  // the end of the first of ten intervals
  rows[1].last_time = some_head().time - 250;
  LiveView view({});
  view.resize({80, 24});
  view.show(snapshot_of(some_head(), rows));
  view.press(key::down);
  view.press(key::down);
  view.press(key::enter);
  CHECK(drawn(view).ends_with(
      "\n10.0.0.2  first 2026-11-20T11:59:51.123Z  last 2026-11-20T11:59:59.873Z\n"
      "20 packets  200 bytes  on average 2.0 packets/s  160.0 bit/s\n"
      "over 10 s 30.0 packets/s  400.0 bit/s\n"
      "trend " +
      std::string(max_trend - 1, ' ') + "█\nh help  q quit\n"));
  rows.erase(rows.begin() + 1);
  view.show(snapshot_of(some_head(), rows));
  CHECK(drawn(view).ends_with("\n10.0.0.2 is not in these rows now\nh help  q quit\n"));
  view.press(key::enter);
  CHECK_FALSE(contains(view, "is not in these rows"));
}

TEST_CASE("details take the room that a row leaves, and say so where there is none") {
  LiveView low = showing({80, 10});
  low.press(key::down);
  low.press(key::enter);
  CHECK(marked(low) == "10.0.0.1");
  CHECK(contains(low, "\n10.0.0.1  first "));
  CHECK(contains(low, "\ntrend "));
  LiveView small = showing({20, 5});
  small.press(key::enter);
  CHECK(contains(small, "\nno room for details\n"));
  small.press(key::enter);
  CHECK(contains(small, "\nh help  3 more\n"));
}

TEST_CASE("averages are over as long as there have been ticks, up to what they are named after") {
  SnapshotMessage soon = snapshot_of(some_head(), some_rows());
  soon.head.recent = {{{3, {4500, 0}}, {3, {4500, 0}}}};
  soon.rows[0].recent = {Counts{30, 300}, Counts{30, 300}};
  LiveView view({});
  view.resize({200, 24});
  view.show(soon);
  CHECK(contains(view, "  over 3 s: 1.5 kframes/s  0.0 bit/s\n"));
  view.press(key::enter);
  CHECK(contains(view, "  over 3 s 10.0 packets/s  800.0 bit/s\n"));
  CHECK_FALSE(contains(view, "over 10 s"));
  CHECK_FALSE(contains(view, "over 60 s"));
}

TEST_CASE("of more sources than are ever shown it is said how many are") {
  SnapshotHead head = some_head();
  head.tracked = 100'000;
  std::vector<SourceRow> rows(max_top);
  for (std::uint32_t i = 0; i < max_top; ++i) rows[i].address = 0x0a000001 + i;
  LiveView view({});
  view.resize({80, 24});
  view.show(snapshot_of(head, rows));
  CHECK(contains(view, "\nh help  q quit  9,981 more  these are the first 10,000\n"));
}

TEST_CASE("where names of interfaces are long, rates come before them") {
  SnapshotHead head = some_head();
  head.interface = "verylongname-01";
  LiveView view({});
  view.resize({40, 10});
  view.show(snapshot_of(head, some_rows()));
  view.show(snapshot_of(some_head(), some_rows()), view.add_agent("second"));
  CHECK(contains(view, "\nerylongname-01 10.0.0.1           400.0\n"));
}

TEST_CASE("on a very narrow screen the help has its words whole, below what they explain") {
  LiveView view = showing({20, 12});
  view.press('h');
  CHECK(drawn(view).starts_with("Keys\n p b P B\n  sort by packets/s,\n  bits/s, packets,\n"));
}

TEST_CASE("what grows of packets without a row is a warning, with what to do") {
  LiveView view = showing({80, 24});
  SnapshotHead head = some_head();
  ++head.seq;
  head.untracked.of(Family::ipv4).packets = 1234;
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with(
      "1,234 more IPv4 packets are untracked: more sources than there is room for; a\n"
      "higher --max-sources makes room\neth0  native"));
  CHECK(view.screen().lines[0][0].style == Style::alert);
  ++head.seq;
  head.evicted.of(Family::ipv4).counts.packets = 7;
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with(
      "1,234 more IPv4 packets are untracked: more sources than there is room for; a\n"
      "higher --max-sources makes room\n"
      "7 more IPv4 packets are evicted: their sources made room for others; a higher\n"
      "--max-sources keeps them\neth0  native"));
  // What grew under another agent is not this one's.
  LiveView restored = view;
  restored.agent_restored();
  restored.show(snapshot_of(some_head(), some_rows()));
  CHECK(drawn(restored).starts_with("eth0  native"));
  // It stays for a while, and what comes in that while is added.
  ++head.seq;
  head.untracked.of(Family::ipv4).packets += 66;
  view.pass_time(LiveView::Clock::time_point{} + std::chrono::seconds(9));
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with("1,300 more IPv4 packets are untracked: "));
  ++head.seq;
  view.pass_time(LiveView::Clock::time_point{} + std::chrono::seconds(18));
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with("1,300 more IPv4 packets are untracked: "));
  CHECK_FALSE(contains(view, " packets are evicted"));
  ++head.seq;
  view.pass_time(LiveView::Clock::time_point{} + std::chrono::seconds(19));
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with("eth0  native"));
}

TEST_CASE("ticks that were missed, and an interface that is down, are warnings") {
  LiveView view = showing({80, 24});
  SnapshotHead head = some_head();
  ++head.seq;
  head.ticks_missed = 3;
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with(
      "3 ticks more missed: the agent was stopped, or had too little time, of which a\n"
      "longer --interval gives it more; nothing is lost\neth0  native"));
  ++head.seq;
  head.running = false;
  view.pass_time(LiveView::Clock::time_point{} + std::chrono::seconds(10));
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with(
      "the interface is down or has no carrier: nothing comes in; ip link shows which\n"
      "eth0  native"));
  view.agent_lost("gone");
  CHECK(drawn(view).starts_with("no agent; trying again: gone\neth0  native"));
}

TEST_CASE("a sorts by rates over ever longer times, and one that is not known comes last") {
  LiveView view = showing({80, 24});
  SnapshotMessage message = snapshot_of(some_head(), some_rows());
  message.rows[0].recent = {std::nullopt, std::nullopt};
  message.rows[1].recent = {Counts{1, 90}, Counts{10, 100}};
  message.rows[2].recent = {Counts{2, 80}, Counts{9, 400}};
  message.rows[3].recent = {Counts{3, 70}, Counts{8, 300}};
  view.show(message);
  struct Case {
    std::string keys;
    SortKey by;
    std::string order;
  };
  for (const Case& c :
       {Case{"pa", SortKey::pps_10s, "1321"}, Case{"a", SortKey::pps_60s, "2311"},
        Case{"a", SortKey::pps, "1231"}, Case{"ba", SortKey::bps_10s, "2311"},
        Case{"a", SortKey::bps_60s, "3121"}, Case{"a", SortKey::bps, "2311"},
        Case{"Pa", SortKey::pps_10s, "1321"}, Case{"Ba", SortKey::bps_10s, "2311"}}) {
    CAPTURE(c.keys);
    type(view, c.keys);
    CHECK(view.selection().by == c.by);
    CHECK(order(view) == c.order);
  }
}

TEST_CASE("rates of agents with other intervals are compared as rates") {
  LiveView view = showing({80, 24}, {.by = SortKey::pps_10s});
  SnapshotMessage message = snapshot_of(some_head(), {some_rows()[3]});
  message.head.interface = "eth1";
  message.head.recent[0].seconds = 20;
  message.rows[0].recent[0] = Counts{500, 0};  // 25 a second, between 20 and 30
  view.show(message, view.add_agent("eth1"));
  CHECK(order(view) == "");
  CHECK(contains(view, "eth0  10.0.0.2           300.0      30.0 "));
  CHECK(drawn(view).find("eth1  192.0.2.1          100.0      25.0 ") <
        drawn(view).find("eth0  10.0.0.3           200.0      20.0 "));
}

TEST_CASE("a snapshot that does not come is a warning after three intervals, and rates are dim") {
  LiveView view({});
  const LiveView::Clock::time_point start{};
  view.resize({80, 24});
  view.pass_time(start);
  view.show(snapshot_of(some_head(), some_rows()));
  view.pass_time(start + std::chrono::seconds(3));
  CHECK(drawn(view).starts_with("eth0  native"));
  CHECK(view.screen().lines[4][0].style == Style::plain);
  view.pass_time(start + std::chrono::milliseconds(5400));
  CHECK(drawn(view).starts_with(
      "no snapshot for 5 s, where one comes every 1.0 s: the agent is stopped or\n"
      "overloaded; what is shown is old\neth0  native"));
  CHECK(view.screen().lines[6][0].style == Style::dim);
  view.show(snapshot_of(some_head(), some_rows()));
  CHECK(drawn(view).starts_with("eth0  native"));
  view.agent_lost("gone");
  view.pass_time(start + std::chrono::seconds(60));
  CHECK(drawn(view).starts_with("no agent; trying again: gone\neth0  native"));
}

TEST_CASE("what the agent logs stands above the totals for ten seconds, warnings marked") {
  LiveView view = showing({40, 20});
  const LiveView::Clock::time_point start{};
  view.pass_time(start);
  view.show_message("client 7 (pid 1) read nothing for too long: closed");
  view.show_message("warning: accepting a client: Too many");
  CHECK(
      drawn(view).starts_with("client 7 (pid 1) read nothing for too\n"
                              "long: closed\n"
                              "warning: accepting a client: Too many\n"
                              "eth0  native"));
  CHECK(view.screen().lines[0][0].style == Style::dim);
  CHECK(view.screen().lines[2][0].style == Style::alert);
  view.pass_time(start + std::chrono::seconds(5));
  view.show_message("error: a later one");
  view.pass_time(start + std::chrono::seconds(11));
  view.show(SnapshotMessage{some_head(), some_rows()});
  CHECK(drawn(view).starts_with("error: a later one\neth0  native"));
  CHECK(view.screen().lines[0][0].style == Style::alert);
  for (const char* const message : {"one", "two", "three", "four"}) view.show_message(message);
  CHECK(drawn(view).starts_with("two\nthree\nfour\neth0  native"));
}

TEST_CASE("a reason is shown whole, on as many lines as it takes") {
  LiveView view = showing({40, 12});
  view.agent_lost("the agent says goodbye: eth0 was taken away, and with it the program");
  CHECK(
      drawn(view).starts_with("no agent; trying again: the agent says\n"
                              "goodbye: eth0 was taken away, and with\n"
                              "it the program\n"));
  std::vector<SourceRow> rows = some_rows();
  rows.push_back({.address = 0x0a000005});
  view.show(snapshot_of(some_head(), rows));
  view.resize({40, 10});
  CHECK(order(view) == "12315");
}

// eth0 as above, and eth1 with two rows of its own, one of an address that eth0 has too.
LiveView showing_two(ScreenSize size, LiveView::Settings settings = {}) {
  LiveView view = showing(size, settings);
  SnapshotHead head = some_head();
  head.interface = "eth1";
  head.mode = XdpMode::generic;
  head.time += 400;
  head.frames = {{1000, 60'000}, {500, 1e6}};
  head.classes = {{{{990, 0}, {}}, {{1, 0}, {}}, {{2, 0}, {}}, {{3, 0}, {}}, {{4, 0}, {}}}};
  CHECK(view.add_agent("eth1") == 1);
  view.show(snapshot_of(head, {{.address = 0x0a000001, .total = {25, 150}, .rates = {350, 50}},
                               {.address = 0x0a000009, .total = {1, 60}, .rates = {1, 480}}}),
            1);
  return view;
}

TEST_CASE("several agents have exact sums, a line each, and rows sorted together") {
  CHECK(drawn(showing_two({80, 20})) ==
        R"(2 interfaces  2026-11-20T12:00:00.523Z  by pps
all   1,235,567 frames  2.0 kframes/s  2.5 Gbit/s  tracked 4 of 524,288
eth0  native  1,234,567 frames  1.5 kframes/s  2.5 Gbit/s  tracked 2 of 262,144
eth1  generic  1,000 frames  500.0 frames/s  1.0 Mbit/s  tracked 2 of 262,144
ipv4 1,234,990  ipv6 501  arp 62  other 10  malformed 4  untracked 0  evicted 0
IFACE SOURCE          PACKETS/S    BITS/S   PACKETS     BYTES TREND
eth0  10.0.0.1           400.0     100.0         10       100                  █
eth1  10.0.0.1           350.0      50.0         25       150                  █
eth0  10.0.0.2           300.0      4.0 k        20       200                  █
eth0  10.0.0.3           200.0      3.0 k        40       300                  █
eth0  192.0.2.1          100.0      2.0 k        30    50.0 k                  █
eth1  10.0.0.9             1.0     480.0          1        60                  █







h help  q quit
)");
}

TEST_CASE("several agents fit small screens, with the sum and a row at the least") {
  CHECK(drawn(showing_two({40, 10})) == R"(2 interfaces  12:00:00Z  by pps
all   2.0 kframes/s  2.5 Gbit/s
ipv4 1.2 M  ipv6 501  arp 62  other 10
IFACE SOURCE          PACKETS/S TREND
eth0  10.0.0.1           400.0         █
eth1  10.0.0.1           350.0         █
eth0  10.0.0.2           300.0         █
eth0  10.0.0.3           200.0         █
eth0  192.0.2.1          100.0         █
h help  q quit  1 more
)");
  CHECK(drawn(showing_two({20, 5})) == R"(2 interfaces  by pps
all   2.0 kframes/s
FACE SOURCE
eth0 10.0.0.1
h help  5 more
)");
}

TEST_CASE("more interfaces than there is room for are counted, and leave half to the sources") {
  LiveView view = showing_two({80, 20});
  for (int i = 2; i < 12; ++i) {
    SnapshotHead head = some_head();
    head.interface = "eth" + std::to_string(i);
    view.show(snapshot_of(head, {}), view.add_agent(""));
  }
  CHECK(drawn(view).starts_with("12 interfaces  "));
  CHECK(contains(view, "\neth5   native  "));
  CHECK_FALSE(contains(view, "\neth6 "));
  CHECK(contains(view, "\nand 6 more\nIFACE "));
}

TEST_CASE("no size breaks the view of several agents, and nothing is drawn outside of it") {
  for (const bool lost : {false, true})
    for (std::size_t columns = 0; columns <= 130; columns += columns < 30 ? 1 : 10)
      for (std::size_t rows = 0; rows <= 30; ++rows) {
        LiveView view = showing_two({columns, rows});
        if (lost) view.agent_lost("a reason that is longer than the narrow screens are wide", 1);
        view.press(key::enter);
        type(view, "/10.0.0.0/8\n");
        require_fits(view, {columns, rows});
      }
}

TEST_CASE("a row of one of several agents is selected by its interface too, and details name it") {
  LiveView view = showing_two({80, 24});
  view.press(key::down);
  view.press(key::down);
  view.press(key::enter);
  CHECK(contains(view, "\n10.0.0.1 on eth1  first "));
  CHECK(contains(view, "\n25 packets  150 bytes"));
  std::size_t selected = 0;
  for (const ScreenLine& line : view.screen().lines)
    if (!line.empty() && line[0].style == Style::selected) {
      ++selected;
      CHECK(line[0].text.starts_with("eth1  10.0.0.1 "));
    }
  CHECK(selected == 1);
}

TEST_CASE("of several agents each can be shown alone, as if it were the only one") {
  LiveView view = showing_two({80, 12});
  const std::string both = drawn(view);
  view.press('i');
  CHECK(drawn(view) == drawn(showing({80, 12})));
  view.press('i');
  CHECK(drawn(view).starts_with("eth1  generic  every 1.0 s  "));
  CHECK_FALSE(contains(view, "10.0.0.2"));
  view.press('i');
  CHECK(drawn(view) == both);
  LiveView one = showing({80, 12});
  one.press('i');
  CHECK(contains(one, "\nthere is no other interface to show\n"));
}

TEST_CASE(
    "one of several agents that has gone is named, and its rates are none, until it is back") {
  LiveView view = showing_two({80, 20});
  view.agent_lost("stopped", 0);
  CHECK(drawn(view).starts_with("eth0: no agent; trying again: stopped\n2 interfaces  "));
  CHECK(contains(view,
                 "\nall   1,235,567 frames  500.0 frames/s  1.0 Mbit/s  tracked 4 of 524,288\n"
                 "eth0  no agent  1,234,567 frames\n"
                 "eth1  generic  1,000 frames  "));
  CHECK(contains(view,
                 "\neth1  10.0.0.9             1.0     480.0          1        60"
                 "                  █\n"
                 "eth0  10.0.0.1               -         -         10       100"));
  view.agent_restored(0);
  CHECK(drawn(view).starts_with("2 interfaces  "));
  CHECK(contains(view, "\nall   1,000 frames  500.0 frames/s  1.0 Mbit/s  tracked 2 of 262,144\n"));
  view.show(snapshot_of(some_head(), some_rows()), 0);
  CHECK(contains(view, "\nall   1,235,567 frames  2.0 kframes/s  2.5 Gbit/s  tracked 4 of "));
  CHECK(contains(view, "\neth0  10.0.0.1           400.0     100.0         10       100 "));
}

TEST_CASE("a warning names the family, and there is none for one that is not counted") {
  LiveView view = showing({100, 24});
  SnapshotHead head = some_head();
  ++head.seq;
  head.untracked.of(Family::ipv6).packets = 7;
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with("7 more IPv6 packets are untracked: "));
  ++head.seq;
  head.untracked.of(Family::ipv4).packets = 1234;
  head.evicted.of(Family::ipv6).counts.packets = 9;
  view.show(snapshot_of(head, some_rows()));
  CHECK(drawn(view).starts_with("1,234 more IPv4 packets and 7 more IPv6 packets are untracked: "));
  CHECK(contains(view, "\n9 more IPv6 packets are evicted: "));

  head = some_head();
  head.row_kind.families = FamilyChoice::ipv4;
  LiveView other({});
  other.resize({100, 24});
  other.show(snapshot_of(head, some_rows()));
  ++head.seq;
  head.untracked.of(Family::ipv6).packets = 7;
  other.show(snapshot_of(head, some_rows()));
  CHECK(drawn(other).starts_with("eth0  native  ipv4 only  every 1.0 s  "));
}

TEST_CASE("warnings of several agents name the interface") {
  LiveView view = showing_two({80, 24});
  SnapshotHead head = some_head();
  head.interface = "eth1";
  ++head.seq;
  head.untracked.of(Family::ipv4).packets = 5;
  view.show(snapshot_of(head, {}), 1);
  CHECK(drawn(view).starts_with("eth1: 5 more IPv4 packets are untracked: "));
  view.pass_time(LiveView::Clock::time_point{} + std::chrono::seconds(9));
  CHECK(contains(view, "eth0: no snapshot for 9 s, "));
}

TEST_CASE("agents whose interfaces have one name are called by their sockets") {
  LiveView view({}, "first");
  view.resize({80, 24});
  view.show(snapshot_of(some_head(), some_rows()));
  view.show(snapshot_of(some_head(), {some_rows()[0]}), view.add_agent("second"));
  CHECK(contains(view, "\nfirst  10.0.0.1 "));
  CHECK(contains(view, "\nsecond 10.0.0.1 "));
}

TEST_CASE("an agent that joins a paused view is shown when that goes on") {
  LiveView view = showing({80, 24});
  view.press(' ');
  const std::string before = drawn(view);
  view.show(snapshot_of(some_head(), some_rows()), view.add_agent("eth1"));
  CHECK(drawn(view) == before);
  view.press(' ');
  CHECK(drawn(view).starts_with("2 interfaces  "));
}

TEST_CASE("of several agents no row is shown that a missing one may be above") {
  std::vector<SourceRow> rows;
  for (std::uint32_t i = 0; i < 20; ++i)
    rows.push_back({.address = 0x0a000001 + i, .rates = {100.0 - i, 0}});
  LiveView view({});
  view.resize({80, 10});
  view.show(snapshot_of(some_head(), rows));
  for (SourceRow& row : rows) row.rates.pps -= 50;
  view.show(snapshot_of(some_head(), rows), view.add_agent("second"));
  // Each was asked for 20 rows: one more of the first agent would come before any of the second.
  CHECK(view.selection().top == 20);
  CHECK(contains(view, "\nh help  q quit  15 more\n"));
}

TEST_CASE("terminals without UTF-8 get trends in ASCII") {
  CHECK(contains(showing({80, 24}, {.utf8 = false}), "              #\n"));
}

}  // namespace
}  // namespace xdp_count
