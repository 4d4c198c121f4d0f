// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The hub's page with real agents in a real browser.
#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "agent_fixture.hpp"
#include "base/time_format.hpp"
#include "browser.hpp"
#include "history/history_file.hpp"
#include "second_link.hpp"

using namespace xdp_count::testing;
using nlohmann::json;
using xdp_count::Family;

namespace {

const std::string page_url = "http://127.0.0.1:8484/";
using Texts = std::vector<std::vector<std::string>>;

// What the browser of a test needs in the receiver's namespace, and a hub there.
class Page {
 public:
  explicit Page(const Topology& topology, std::vector<std::string> arguments = {})
      : topology_(topology), arguments_(std::move(arguments)) {
    ip(topology, {"link", "set", "dev", "lo", "up"});
    start_hub();
    browser_.emplace(topology);
    browser_->open(page_url);
  }

  Browser& browser() { return *browser_; }
  void start_hub() {
    std::vector<std::string> command{HUB};
    command.insert(command.end(), arguments_.begin(), arguments_.end());
    hub_.emplace(command, ProcessOptions{.network_namespace = topology_.receiver()});
  }
  void end_hub() {
    hub_->signal(SIGTERM);
    CHECK(hub_->wait() == 0);
  }

  // Goes on once the table has these texts in these of its columns.
  void wait_for(const std::string& table, const std::vector<int>& columns, const Texts& rows) {
    const std::string script =
        "JSON.stringify([...document.querySelectorAll('#" + table + " tbody tr')].map(row => " +
        json(columns).dump() +
        ".map(column => row.cells[column].textContent))) === JSON.stringify(" + json(rows).dump() +
        ")";
    browser().wait_until(script);
  }

  // How many connections to the hub there are.
  int connections() const {
    int open = 0;
    in_network_namespace(topology_.receiver(), [&] {
      std::ifstream sockets("/proc/thread-self/net/tcp");
      for (std::string line; std::getline(sockets, line);)
        if (contains(line, "0100007F:2124 0100007F:") && contains(line, " 01 ")) ++open;
    });
    return open;
  }

  // What neither a browser nor a policy is content with, and what was asked of anybody else.
  void check_clean() {
    CHECK(browser().console() == json::array());
    CHECK(browser().run("return performance.getEntriesByType('resource').map(entry => "
                        "entry.name).filter(name => !name.startsWith(location.origin))") ==
          json::array());
  }

 private:
  const Topology& topology_;
  std::vector<std::string> arguments_;
  std::optional<Process> hub_;
  std::optional<Browser> browser_;
};

bool has_browser() {
  return ::access("/usr/bin/chromedriver", X_OK) == 0 && ::access("/usr/bin/chromium", X_OK) == 0;
}

constexpr const char* no_browser = "there is no Chromium with its driver";

// One file in the place of another.
class BindMount {
 public:
  BindMount(const char* file, const char* place) : place_(place) {
    REQUIRE(::mount(file, place, nullptr, MS_BIND, nullptr) == 0);
  }
  ~BindMount() { ::umount2(place_, MNT_DETACH); }
  BindMount(const BindMount&) = delete;
  BindMount& operator=(const BindMount&) = delete;

 private:
  const char* place_;
};

// Of the table of rows: the address, packets and bytes.
const std::vector<int> counts{0, 3, 4};

// Of the classes' rates: their sum over time.
const std::string packets_under_lines =
    "(() => { let sum = 0; for (const set of Chart.getChart('chart').data.datasets) "
    "set.data.forEach((point, i) => { if (i > 0) sum += point.y * (point.x - set.data[i - 1].x) "
    "/ 1000; }); return sum; })()";

}  // namespace

TEST_CASE("the page shows what agents count, and what somebody chooses of it") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  Agent agent(topology, {"--interval", "0.2"});
  Page page(topology);
  Browser& browser = page.browser();
  // The line begins before the packets do.
  browser.wait_until("Chart.getChart('chart').data.datasets[0].data.length >= 2");
  send_frames(topology, frames_of(Family::ipv4, ten_net, 1, 50));
  send_frames(topology, frames_of(Family::ipv4, ten_net + 1, 1, 1200));
  send_frames(topology, frames_of(Family::ipv6, ten_net, 1, 30));
  const std::string ipv6 = expected_sources(Family::ipv6, ten_net, 1, 30).begin()->first;

  browser.run("location.hash = '#/count0.sock?by=packets'");
  page.wait_for(
      "rows", counts,
      {{"10.0.0.2", "1,200", "72,000"}, {"10.0.0.1", "50", "3,000"}, {ipv6, "30", "1,800"}});
  page.wait_for("agents", {0, 3, 5, 6, 7, 8}, {{"count0", "3", "0", "0", "0", "native"}});
  // All of it is under the line. Points come each second.
  browser.wait_until("Math.round(" + packets_under_lines + ") === 1280");
  CHECK(browser.run("return document.getElementById('warnings').children.length") == 0);

  browser.type("input[name=prefix]", "10.0.0.1\n");
  page.wait_for("rows", counts, {{"10.0.0.1", "50", "3,000"}});
  CHECK(browser.run("return location.hash") == "#/count0.sock?by=packets&prefix=10.0.0.1");
  browser.type("input[name=prefix]", "10.0.0.1/8\n");
  browser.wait_until("document.getElementById('filter-error').textContent.includes('10.0.0.0/8')");
  browser.run("location.hash = '#/count0.sock?by=packets&family=ipv6'");
  page.wait_for("rows", counts, {{ipv6, "30", "1,800"}});
  browser.wait_until("document.getElementById('filter-error').textContent === ''");
  browser.run("location.hash = '#/count0.sock?by=packets&group=24,48'");
  page.wait_for("rows", {0, 3}, {{"10.0.0.0/24", "1,250"}, {"2001:db8::/48", "30"}});

  // A row on its own, with what came before it was opened.
  browser.run("location.hash = '#/count0.sock?prefix=10.0.0.2'");
  page.wait_for("rows", counts, {{"10.0.0.2", "1,200", "72,000"}});
  browser.run("document.querySelector('#rows tbody a').click()");
  const std::string facts =
      "[...document.querySelectorAll('#row-facts dd')].map(fact => fact.textContent)";
  browser.wait_until("String(" + facts + ".slice(0, 2)) === '1,200,72,000'");
  CHECK(browser.run("return document.getElementById('row-title').textContent") == "10.0.0.2");
  const std::string row_packets =
      "(() => { const points = Chart.getChart('row-chart').data.datasets[0].data; return "
      "points.reduce((sum, point, i) => sum + point.y * (i > 0 ? point.x - points[i - 1].x : "
      "1000), "
      "0) / 1000; })()";
  browser.wait_until("Math.round(" + row_packets + ") === 1200");
  send_frames(topology, frames_of(Family::ipv4, ten_net + 1, 1, 100));
  browser.wait_until("String(" + facts + ".slice(0, 2)) === '1,300,78,000'");
  browser.run("document.getElementById('row-back').click()");
  browser.wait_until("document.querySelectorAll('#rows tbody tr').length === 3");
  browser.run("location.hash = '#/count0.sock?row=192.0.2.99'");
  browser.wait_until("String(" + facts + ") === 'nothing, or it made room for others'");
  browser.run("location.hash = '#/count0.sock?by=packets&group=24,48'");
  page.wait_for("rows", {0, 3}, {{"10.0.0.0/24", "1,350"}, {"2001:db8::/48", "30"}});

  // The link past the interfaces does not change what is looked at, and no address breaks the page.
  browser.run("document.querySelector('.skip').click()");
  CHECK(browser.run("return document.activeElement.id + location.hash") ==
        "rows-title#/count0.sock?by=packets&group=24,48");
  for (const char* hash : {"#/%", "#/none", "#/none?by=1"}) {
    browser.run("location.hash = '" + std::string(hash) + "'");
    browser.wait_until("!document.getElementById('no-such-agent').hidden");
    CHECK(browser.run("return document.getElementById('sources').hidden") == true);
  }
  browser.run("location.hash = '#/'");
  page.wait_for("rows", {0}, {{"10.0.0.2"}, {"10.0.0.1"}, {ipv6}});

  for (const unsigned width : {360u, 1280u, 2560u})
    for (const bool dark : {false, true}) {
      browser.set_width(width);
      browser.set_dark(dark);
      browser.wait_until("document.documentElement.scrollWidth <= innerWidth");
    }
  page.check_clean();
}

TEST_CASE("the page follows agents that are killed and come back, and a hub that does") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  Agent agent(topology, {"--interval", "0.2"});
  Page page(topology);
  Browser& browser = page.browser();
  send_frames(topology, ipv4_frames(ten_net, 1, 7));
  page.wait_for("rows", counts, {{"10.0.0.1", "7", "420"}});
  kill(agent);
  page.wait_for("agents", {0, 8}, {{"count0", "no answer"}});
  CHECK(browser.run("return document.getElementById('warnings').innerText") ==
        "count0: the agent does not answer");
  Agent next(topology, {"--interval", "0.2"});
  send_frames(topology, ipv4_frames(ten_net, 1, 1));
  page.wait_for("rows", counts, {{"10.0.0.1", "8", "480"}});
  ip(topology, {"link", "set", "dev", "count0", "name", "lan0"});
  page.wait_for("agents", {0, 8}, {{"lan0", "native"}});
  page.check_clean();

  page.end_hub();
  browser.wait_until("document.getElementById('state').textContent.startsWith('no news since')");
  page.start_hub();
  browser.wait_until("document.getElementById('state').textContent === 'live'");
  send_frames(topology, ipv4_frames(ten_net, 1, 1));
  page.wait_for("rows", counts, {{"10.0.0.1", "9", "540"}});
}

TEST_CASE("names that are HTML are shown as text") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  const SecondLink second(topology);
  const std::string bold = "<b>eth0";
  const std::string handler = "x\"onload=f()";
  ip(topology, {"link", "set", "dev", "count0", "name", bold});
  ip(topology, {"link", "set", "dev", SecondLink::name, "name", handler});
  Agent agent(topology, {"--interval", "0.2"}, {}, bold);
  Agent other(topology, {"--interval", "0.2"}, {}, handler);
  Page page(topology);
  page.wait_for("agents", {0, 8}, {{bold, "native"}, {handler, "native"}});
  send_frames(topology, ipv4_frames(ten_net, 1, 3));
  second.send(ipv4_frames(ten_net, 1, 4));
  page.wait_for("rows", counts, {{"10.0.0.1", "3", "180"}});
  page.browser().run("document.querySelectorAll('#agents a')[1].click()");
  page.wait_for("rows", counts, {{"10.0.0.1", "4", "240"}});
  page.browser().run("location.reload()");
  page.wait_for("rows", counts, {{"10.0.0.1", "4", "240"}});
  CHECK(page.browser().run("return document.querySelectorAll('b, [onload]').length") == 0);
  page.check_clean();
}

TEST_CASE("new sources are shown once each, the newest first, with how many there were") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  const SecondLink second(topology);
  Agent agent(topology, {"--interval", "0.2", "--events"});
  Agent other(topology, {"--interval", "0.2"}, {}, SecondLink::name);
  LineClient client(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 1));
  snapshot_with(client, 1);
  Page page(topology);
  Browser& browser = page.browser();
  const auto wait_for_text = [&](const std::string& text) {
    browser.wait_until(
        "document.querySelector('#new p').textContent.replace(/since .{8}/, '@') === '" + text +
        "'");
  };
  const std::string addresses =
      "String([...document.querySelectorAll('#new li a')].map(link => link.textContent))";
  wait_for_text("None @");
  const std::string ipv6 = expected_sources(Family::ipv6, ten_net, 1, 1).begin()->first;
  send_frames(topology, ipv4_frames(ten_net, 3, 10));
  wait_for_text("2 @");
  send_frames(topology, frames_of(Family::ipv6, ten_net, 1));
  wait_for_text("3 @");
  CHECK(browser.run("return " + addresses) == ipv6 + ",10.0.0.3,10.0.0.2");
  CHECK(browser.run("return Date.now() - Date.parse(document.querySelector('#new time').title)")
            .get<double>() < 30'000);
  browser.wait_until("/^[23] s ago$/.test(document.querySelector('#new time').textContent)");

  // Of many the newest.
  send_frames(topology, ipv4_frames(ten_net, 1003));
  wait_for_text("1,003 @, 979 of them not shown");
  std::string newest = "10.0.3.235";
  for (int last = 234; last > 235 - 24; --last) newest += ",10.0.3." + std::to_string(last);
  CHECK(browser.run("return " + addresses) == newest);
  browser.run("document.querySelector('#new li a').click()");
  browser.wait_until("document.getElementById('row-title').textContent === '10.0.3.235'");
  browser.wait_until("document.querySelector('#row-facts dd')?.textContent === '1'");

  // It is there for the agents that report them alone.
  browser.run("location.hash = '#/count1.sock'");
  browser.wait_until("document.getElementById('new').hidden");
  browser.run("location.hash = '#/count0.sock'");
  wait_for_text("1,003 @, 979 of them not shown");
  page.check_clean();
}

TEST_CASE("a tab that nobody sees asks for nothing, and shows all that it missed later") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  Agent agent(topology, {"--interval", "0.2"});
  Page page(topology);
  Browser& browser = page.browser();
  const auto wait_for_connections = [&](bool are_open) {
    // Those of the page's files are closed by the hub.
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while ((page.connections() > 0) != are_open) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  };
  page.wait_for("agents", {0, 8}, {{"count0", "native"}});
  browser.cover();
  wait_for_connections(false);
  send_frames(topology, ipv4_frames(ten_net, 1, 700));
  std::this_thread::sleep_for(std::chrono::seconds(3));
  CHECK(page.connections() == 0);
  browser.uncover();
  wait_for_connections(true);
  page.wait_for("rows", counts, {{"10.0.0.1", "700", "42,000"}});
  browser.wait_until("Math.round(" + packets_under_lines + ") === 700");
  page.check_clean();
}

TEST_CASE("rows are in the order that somebody chooses, and those that he searches for") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  Agent agent(topology, {"--interval", "0.2"});
  Page page(topology);
  Browser& browser = page.browser();
  page.wait_for("agents", {0, 8}, {{"count0", "native"}});
  const auto choose = [&](const std::string& order) {
    browser.run("const by = document.querySelector('select[name=by]'); by.value = '" + order +
                "'; by.dispatchEvent(new Event('change', {bubbles: true}))");
  };
  const auto large = [](std::uint32_t source) {
    return PacketBuilder().ipv4({.source = source}).udp(1, 2).frame_length(1000).build();
  };
  send_frames(topology, ipv4_frames(ten_net, 1, 9));
  send_frames(topology, std::vector<Frame>(2, large(ten_net + 1)));
  choose("packets");
  page.wait_for("rows", counts, {{"10.0.0.1", "9", "540"}, {"10.0.0.2", "2", "2,000"}});
  choose("bytes");
  page.wait_for("rows", counts, {{"10.0.0.2", "2", "2,000"}, {"10.0.0.1", "9", "540"}});
  CHECK(browser.run("return location.hash") == "#/count0.sock?by=bytes");

  // 498 more above all others, which are not searched.
  send_frames(topology, ipv4_frames(ten_net + 2, 498, 9));
  send_frames(topology, ipv4_frames(ten_net + 500, 100));
  send_frames(topology, frames_of(Family::ipv6, ten_net, 1, 10));
  choose("packets");
  browser.wait_until(
      "document.getElementById('rows-text').textContent === '50 shown of 601 tracked'");
  browser.type("input[name=find]", "10.0.1.24\n");
  const auto wait_for_text = [&](const std::string& text) {
    browser.wait_until("document.getElementById('rows-text').textContent === '" + text + "'");
  };
  // The last of them is 10.0.1.244.
  wait_for_text("6 of the 500 highest match; 601 tracked");
  page.wait_for("rows", {0},
                {{"10.0.1.24"},
                 {"10.0.1.240"},
                 {"10.0.1.241"},
                 {"10.0.1.242"},
                 {"10.0.1.243"},
                 {"10.0.1.244"}});
  const json hash = browser.run("return location.hash");
  CHECK(hash == "#/count0.sock?by=packets&find=10.0.1.24");
  browser.run("location.reload()");
  browser.wait_until("document.querySelector('input[name=find]').value === '10.0.1.24'");
  wait_for_text("6 of the 500 highest match; 601 tracked");
  browser.type("input[name=find]", "2001:DB8\n");
  wait_for_text("1 of the 500 highest match; 601 tracked");
  browser.type("input[name=find]", "<b>\n");
  wait_for_text("0 of the 500 highest match; 601 tracked");
  browser.type("input[name=find]", "\n");
  wait_for_text("50 shown of 601 tracked");
  CHECK(browser.run("return location.hash") == "#/count0.sock?by=packets");
  page.check_clean();
}

TEST_CASE("pairs are a graph of who sends to whom, its lines as wide as they send") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  const SecondLink second(topology);
  Agent agent(topology, {"--interval", "0.2", "--by", "pair"});
  Agent other(topology, {"--interval", "0.2"}, {}, SecondLink::name);
  Page page(topology);
  Browser& browser = page.browser();
  browser.set_width(1280);
  page.wait_for("agents", {0, 8}, {{"count0", "native"}, {"count1", "native"}});
  std::vector<Frame> frames;
  const auto send_more = [&](const PacketBuilder& packet, std::size_t times) {
    frames.insert(frames.end(), times, packet.build());
  };
  const std::uint32_t server = 0xc0000201;  // 192.0.2.1
  send_more(PacketBuilder().ipv4({.source = ten_net, .destination = server}).udp(1, 2), 12);
  send_more(PacketBuilder().ipv4({.source = ten_net, .destination = server + 1}).udp(1, 2), 6);
  send_more(PacketBuilder().ipv4({.source = ten_net + 9, .destination = server}).udp(1, 2), 3);
  const Ipv6Address longest = {0x20, 0x01, 0x0d, 0xb8, 0xa1, 0xa1, 0xa2, 0xa2,
                               0xa3, 0xa3, 0xa4, 0xa4, 0xa5, 0xa5, 0xa6, 0xa6};
  const std::string longest_text = "2001:db8:a1a1:a2a2:a3a3:a4a4:a5a5:a6a6";
  send_more(PacketBuilder().ipv6({.source = longest}).udp(1, 2), 4);
  // Those that send most now, until a tick has all of one time's alone.
  const std::string widths =
      "String([...document.querySelectorAll('#graph path')].map(line => line.dataset.key + ' ' + "
      "line.getAttribute('stroke-width')).sort())";
  const std::string expected =
      "10.0.0.10>192.0.2.1 3.0,10.0.0.1>192.0.2.1 12.0,10.0.0.1>192.0.2.2 6.0," + longest_text +
      ">2001:db8::2 4.0";
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  do {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < end, browser.run("return " + widths));
    send_frames(topology, frames);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  } while (browser.run("return " + widths) != expected);
  const std::string labels =
      "String([...document.querySelectorAll('#graph tspan')].map(label => label.textContent))";
  browser.wait_until(labels + " === '10.0.0.1,10.0.0.10," + longest_text +
                     ",192.0.2.1,192.0.2.2,2001:db8::2'");
  const std::string words =
      browser.run("return document.querySelector('#graph svg').getAttribute('aria-label')");
  CHECK(words.starts_with("Who sends to whom: "));
  for (const std::string& pair :
       {std::string("10.0.0.1 to 192.0.2.1: "), std::string("10.0.0.10 to 192.0.2.1: "),
        std::string("10.0.0.1 to 192.0.2.2: "), longest_text + " to 2001:db8::2: "})
    CHECK_MESSAGE(contains(words, pair), words);

  // It is of the rows that are shown, as high whatever is in it, and at most of 30.
  const std::string lines = "document.querySelectorAll('#graph path').length";
  const std::string height = "return document.getElementById('graph').clientHeight";
  const json height_before = browser.run(height);
  browser.run("location.hash = '#/count0.sock?find=192.0.2.1'");
  browser.wait_until(lines + " === 2");
  send_frames(topology, ipv4_frames(ten_net, 100));
  browser.run("location.hash = '#/count0.sock?by=packets'");
  browser.wait_until(lines + " === 30");
  CHECK(browser.run(height) == height_before);
  for (const unsigned width : {360u, 2560u}) {
    browser.set_width(width);
    // No label is beyond an edge or in the lines.
    browser.wait_until(
        "(() => { const { left, right } = document.querySelector('#graph svg')"
        ".getBoundingClientRect(); const lines = document.querySelector('#graph g')"
        ".getBoundingClientRect(); return right < innerWidth && "
        "[...document.querySelectorAll('#graph text')].every(label => { const box = "
        "label.getBoundingClientRect(); return box.left >= left - 1 && box.right <= right + 1 && "
        "(box.right <= lines.left || box.left >= lines.right); }); })()");
    browser.wait_until(labels + ".includes('" + (width == 360 ? "2001:db…" : longest_text) + "')");
  }
  browser.run("location.hash = '#/count1.sock'");
  browser.wait_until("document.getElementById('rows-title').textContent === 'Sources'");
  browser.wait_until("document.getElementById('graph').hidden");
  page.check_clean();
}

TEST_CASE("alerts are on the page for as long as they fire, and what is over stands below") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  std::ofstream("/run/hub.toml") << R"(
[[alert]]
name = "<b>many</b>"
of = "row"
measure = "packets"
above = 5
for = 0
)";
  const Agent agent(topology, {"--output", "none"});
  Page page(topology, {"--config", "/run/hub.toml"});
  page.browser().wait_until("document.querySelector('#alerts h2').textContent === 'Alerts: none'");
  CHECK(page.browser().run("return document.querySelector('#alerts details').hidden") == true);
  Process sender({SEND_FRAMES, Topology::sender_link, "--source", "10.0.0.1", "--sources", "2",
                  "--rate", "100", "--count", "1000000"},
                 {.network_namespace = topology.sender()});
  page.browser().wait_until("document.querySelector('#alerts h2').textContent === 'Alerts: 2'");
  const auto firing = page.browser().run(
      "return [...document.querySelectorAll('#alerts ul li')].map(item => "
      "item.textContent.replace(/: [^:]* packets.*/, '')).sort()");
  CHECK(firing == json{"<b>many</b>: 10.0.0.1 on count0", "<b>many</b>: 10.0.0.2 on count0"});
  sender.signal(SIGTERM);
  sender.wait();
  page.browser().wait_until("document.querySelector('#alerts h2').textContent === 'Alerts: none'");
  CHECK(page.browser().run("return document.querySelectorAll('#alerts ul li').length") == 0);
  const auto recent = page.browser().run(
      "return [...document.querySelectorAll('#alerts ol li')].map(item => item.textContent)");
  REQUIRE(recent.size() >= 4);
  for (const json& line : recent) CHECK(contains(line.get<std::string>(), "alert <b>many</b>"));
  page.check_clean();
}

TEST_CASE("addresses have the names that this host knows, unless these are none of hosts") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  // A copy, so that the mount is of this test alone.
  std::ofstream("/run/hosts")
      << "127.0.0.1 localhost\n10.0.0.1 first.example\n10.0.0.2 <b>second\n";
  const BindMount hosts("/run/hosts", "/etc/hosts");
  Agent agent(topology, {"--interval", "0.2"});
  Page page(topology, {"--resolve"});
  page.wait_for("agents", {0}, {{"count0"}});
  send_frames(topology, ipv4_frames(ten_net, 2, 7));
  page.wait_for("rows", {0, 3}, {{"10.0.0.1first.example", "7"}, {"10.0.0.2", "7"}});
  page.check_clean();
}

TEST_CASE("a time that is chosen with the mouse has the rows that were recorded in it") {
  if (!has_browser()) return skip(no_browser);
  const Topology topology;
  constexpr std::int64_t minute = 60'000;
  const std::int64_t now = xdp_count::unix_time_ms();
  const std::string history = "/run/history.db";
  {
    // What an agent counted that has ended: 7, 100 and 5 packets, of a source each.
    xdp_count::HistoryFile file(history, {});
    xdp_count::SnapshotHead head;
    head.interface = "count0";
    head.since = now - 50 * minute;
    head.capacity = 1000;
    std::vector<xdp_count::SourceRow> rows;
    const auto count = [&](std::int64_t end, std::uint64_t packets) {
      const xdp_count::Counts counts{packets, 60 * packets};
      head.classes[0].counts += counts;
      head.seq++;
      head.time = end;
      rows.push_back(
          {.address = xdp_count::Address(0x0a090001 + static_cast<std::uint32_t>(rows.size())),
           .total = counts,
           .first_time = end});
      file.add("count0", head, std::span(rows).last(1));
    };
    count(now - 40 * minute, 7);
    count(now - 30 * minute, 100);
    count(now - 10 * minute, 5);
  }
  Agent agent(topology, {"--interval", "0.2"});
  Page page(topology, {"--history", history, "--history-interval", "1"});
  Browser& browser = page.browser();
  // All of the day, at first.
  page.wait_for("past-rows", {0, 1, 2},
                {{"10.9.0.2", "100", "6,000"}, {"10.9.0.1", "7", "420"}, {"10.9.0.3", "5", "300"}});
  browser.run(
      "const length = document.querySelector('#past select'); length.value = '1'; "
      "length.dispatchEvent(new Event('change', {bubbles: true})); "
      "document.querySelector('#past canvas').scrollIntoView({block: 'center'})");
  const std::string chart = "Chart.getChart(document.querySelector('#past canvas'))";
  browser.wait_until(chart + ".data.datasets[0].data.length > 3 && " + chart +
                     ".options.scales.x.max - " + chart + ".options.scales.x.min === 3600000");
  const auto pixel = [&](std::int64_t time) {
    return browser
        .run(
            "const box = document.querySelector('#past canvas').getBoundingClientRect(); return "
            "[Math.round(box.left + " +
            chart + ".scales.x.getPixelForValue(" + std::to_string(time) +
            ")), Math.round(box.top + box.height / 2)]")
        .get<std::vector<int>>();
  };
  const auto from = pixel(now - 37 * minute);
  const auto to = pixel(now - 33 * minute);
  browser.drag(from[0], from[1], to[0], to[1]);
  page.wait_for("past-rows", {0, 1, 2}, {{"10.9.0.2", "100", "6,000"}});
  browser.wait_until(
      "document.getElementById('past-text').textContent.includes(': 100 frames, 6,000 bytes')");
  CHECK(browser.run("return !document.querySelector('#past .range').hidden") == true);
  // From the right to the left, over two of them.
  const auto late = pixel(now - 20 * minute);
  browser.drag(late[0], late[1], from[0], from[1]);
  page.wait_for("past-rows", {0, 1}, {{"10.9.0.2", "100"}, {"10.9.0.3", "5"}});

  // One row's year.
  browser.run("document.querySelector('#past-rows a').click()");
  browser.wait_until(
      "document.querySelector('#row-past figcaption').textContent.endsWith('100 packets')");
  CHECK(browser.run("return document.getElementById('past').hidden") == true);
  page.check_clean();
}
