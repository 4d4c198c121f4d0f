// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What hubs record is in a real ClickHouse, against what was sent: to the packet, whatever becomes
// of the server, of its answers, of hubs and of agents.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <sstream>
#include <thread>

#include "../e2e/agent_fixture.hpp"
#include "base/time_format.hpp"
#include "clickhouse.hpp"
#include "history/history_file.hpp"
#include "sqlite_text.hpp"

using namespace xdp_count::testing;

namespace {

constexpr std::chrono::seconds patience{60};
constexpr const char* history = "/run/history.db";

struct Scene {
  Scene() {
    ip(topology, {"link", "set", "lo", "up"});
    server.emplace(topology);
    for (const std::string& answer : server->run("schema.sql")) REQUIRE(answer == "");
  }

  Topology topology;
  std::optional<ClickHouse> server;
};

// A hub that records each second, and sends it to `url`.
struct SendingHub : Process {
  explicit SendingHub(const Scene& scene, std::vector<std::string> more = {},
                      const std::string& url = ClickHouse::url)
      : Process(command(std::move(more), url), {.network_namespace = scene.topology.receiver()}) {}

 private:
  static std::vector<std::string> command(std::vector<std::string> more, const std::string& url) {
    std::vector<std::string> words{HUB,         "--listen",     "unix:/run/hub.sock",
                                   "--history", history,        "--history-interval",
                                   "1",         "--clickhouse", url,
                                   "--site",    "harbour",      "--machine",
                                   "gate-1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

// Where proxy.py puts what it has passed on.
std::string kept() {
  const char* directory = std::getenv("XDP_COUNT_KEPT");
  return directory ? directory : "/run/kept";
}

// A bad way to the server: see proxy.py.
struct Proxy : Process {
  Proxy(const Scene& scene, const std::string& how, const std::string& certificate = {})
      : Process(command(how, certificate), {.network_namespace = scene.topology.receiver()}) {
    std::filesystem::remove_all(kept());
    std::filesystem::create_directories(kept());
  }
  static constexpr const char* url = "http://127.0.0.1:8124";

 private:
  static std::vector<std::string> command(const std::string& how, const std::string& certificate) {
    std::vector<std::string> words{PYTHON, "-B", FLEET_TESTS "/proxy.py", how, "8124", kept()};
    if (!certificate.empty()) words.push_back(certificate);
    return words;
  }
};

// How many buckets the proxy has passed on, each as often as it came.
std::size_t buckets_that_came() {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kept())) {
    std::ifstream file(entry.path());
    std::string line;
    std::getline(file, line);
    if (!contains(line, "INTO bucket")) continue;
    while (std::getline(file, line)) ++count;
  }
  return count;
}

// Until the server has so many packets of IPv4, each of them once.
void wait_for_packets(const Scene& scene, std::uint64_t packets) {
  const auto end = std::chrono::steady_clock::now() + patience;
  const std::string expected = std::to_string(packets) + "\n";
  std::string last;
  do {
    last = scene.server->answer(
        "SELECT sum(ipv4_packets) FROM xdp_count.bucket FINAL WHERE level = 0");
    if (last == expected) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  } while (std::chrono::steady_clock::now() < end);
  FAIL("the server has ", last, "of ", packets, " packets");
}

void wait_until(const std::function<bool()>& is_so) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_so()) {
    REQUIRE(std::chrono::steady_clock::now() < end);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void wait_until_counted(std::uint64_t frames) {
  wait_until([&] { return status_of_agent()["frames"]["packets"] == frames; });
}

// All that has arrived is marked, until another bucket comes.
void wait_until_marked() {
  wait_until([] { return sqlite_text(history, "SELECT count(*) FROM unsent") == "0"; });
}

void check_audit(const Scene& scene) {
  for (const std::string& found : scene.server->run("audit.sql")) CHECK(found == "");
}

std::map<std::string, Count> rows_in(const Scene& scene) {
  std::istringstream lines(scene.server->answer(
      "SELECT address, sum(packets), sum(bytes) FROM xdp_count.row FINAL WHERE level = 0 GROUP BY "
      "address"));
  std::map<std::string, Count> rows;
  std::string address;
  for (Count count; lines >> address >> count.packets >> count.bytes;) rows[address] = count;
  return rows;
}

// What was sent to an agent from number `first` on.
class Sent {
 public:
  explicit Sent(const Topology& topology) : topology_(topology) {}

  void send(std::uint32_t first, std::uint32_t sources, std::uint32_t packets) {
    send_frames(topology_, ipv4_frames(ten_net + first, sources, packets));
    for (const auto& [source, count] : expected_sources(ten_net + first, sources, packets)) {
      rows[source].packets += count.packets;
      rows[source].bytes += count.bytes;
      all += count.packets;
    }
  }

  std::map<std::string, Count> rows;
  std::uint64_t all = 0;

 private:
  const Topology& topology_;
};

const std::vector<std::string> fast{"--interval", "0.1"};

}  // namespace

TEST_CASE("whatever is killed, server, hub or agent, each packet is there once") {
  Scene scene;
  Sent sent(scene.topology);
  std::optional<Agent> agent(std::in_place, scene.topology, fast);
  status_of_agent();
  std::optional<SendingHub> hub(std::in_place, scene);
  std::mt19937 random(18);
  const auto up_to = [&](std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(random);
  };
  for (int i = 0; i < 30; ++i) {
    sent.send(up_to(1999), 1 + up_to(1999), 1 + up_to(2));
    std::this_thread::sleep_for(std::chrono::microseconds(up_to(1'500'000)));
    switch (i % 5) {
      case 1:
      case 3:
        scene.server->kill();
        std::this_thread::sleep_for(std::chrono::microseconds(up_to(1'500'000)));
        scene.server->start();
        break;
      case 2:
        hub->signal(SIGKILL);
        hub->wait();
        hub.emplace(scene);
        break;
      case 4:
        kill(*agent);
        agent.emplace(scene.topology, fast);
        break;
      default:
        break;
    }
  }
  wait_for_packets(scene, sent.all);
  CHECK(rows_in(scene) == sent.rows);
  check_audit(scene);
  CHECK(scene.server->answer("SELECT DISTINCT site, machine, agent, interface, counted_by FROM "
                             "xdp_count.bucket") == "harbour\tgate-1\tcount0\tcount0\tsource\n");
}

TEST_CASE("what comes twice since its answer was lost counts once") {
  Scene scene;
  Sent sent(scene.topology);
  const Proxy proxy(scene, "lossy");
  Agent agent(scene.topology, fast);
  status_of_agent();
  sent.send(0, 500, 2);  // so that the answer that is lost first is that of the first bucket
  wait_until_counted(sent.all);
  const SendingHub hub(scene, {}, Proxy::url);
  for (int i = 0; i < 11; ++i) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    sent.send(0, 500, 2);
  }
  wait_for_packets(scene, sent.all);
  CHECK_FALSE(contains(hub.standard_error(), "is not sent"));
  wait_until_marked();
  CHECK(rows_in(scene) == sent.rows);
  check_audit(scene);
  // It did come twice, whether that is merged already or not.
  CHECK(buckets_that_came() >
        std::stoul(scene.server->answer("SELECT count() FROM xdp_count.bucket FINAL")));
}

TEST_CASE(
    "a server that is overloaded, and one that lacks tables or knows no user, gets all later") {
  Scene scene;
  Sent sent(scene.topology);
  Agent agent(scene.topology, fast);
  status_of_agent();
  std::ofstream("/run/user") << "hub:shark\n";
  std::filesystem::permissions("/run/user", std::filesystem::perms::owner_read);
  {
    SendingHub hub(scene, {"--clickhouse-user", "/run/user"});
    sent.send(0, 100, 1);
    wait_for_log(hub, "not sent, and tried again: http://127.0.0.1:8123, database xdp_count: ");
    CHECK(contains(hub.standard_error(), "Wrong password for user hub"));
    stop(hub);
  }
  std::filesystem::remove("/run/user");
  std::ofstream("/run/user") << "hub:swordfish\n";
  std::filesystem::permissions("/run/user", std::filesystem::perms::owner_read);
  scene.server->answer("DROP DATABASE xdp_count");
  {
    SendingHub hub(scene, {"--clickhouse-user", "/run/user"});
    sent.send(0, 100, 1);
    wait_for_log(hub, "Database xdp_count doesn't exist");
    for (const std::string& answer : scene.server->run("schema.sql")) REQUIRE(answer == "");
    wait_for_packets(scene, sent.all);
    wait_for_log(hub, "http://127.0.0.1:8123: sending again");
    stop(hub);
  }
  const Proxy proxy(scene, "refusing");
  const SendingHub hub(scene, {"--clickhouse-user", "/run/user"}, Proxy::url);
  sent.send(0, 100, 3);
  wait_for_packets(scene, sent.all);
  CHECK(contains(hub.standard_error(), "Too many simultaneous queries"));
  CHECK(rows_in(scene) == sent.rows);
  check_audit(scene);
}

TEST_CASE("a server that never answers holds up nothing, and what waits for it is told") {
  Scene scene;
  Sent sent(scene.topology);
  Agent agent(scene.topology, fast);
  status_of_agent();
  {
    const Proxy proxy(scene, "silent");
    SendingHub hub(scene, {}, Proxy::url);
    sent.send(0, 100, 1);
    std::this_thread::sleep_for(std::chrono::seconds(3));
    sent.send(0, 100, 1);
    std::this_thread::sleep_for(std::chrono::seconds(2));
    Process recorded({CLIENT, "history", "totals", "--file", history, "--from", "-1h", "--json"});
    CHECK(recorded.wait() == 0);
    CHECK(contains(recorded.standard_output(), R"("ipv4":{"packets":200,)"));
    stop(hub);
  }
  const SendingHub hub(scene);
  wait_for_packets(scene, sent.all);
  check_audit(scene);
}

TEST_CASE("over TLS a hub sends to whom it may trust, and to nobody else") {
  Scene scene;
  Sent sent(scene.topology);
  const std::string certificate = "/run/server.pem";
  Process openssl({"/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                   "2", "-subj", "/CN=clickhouse", "-addext", "subjectAltName=IP:127.0.0.1",
                   "-keyout", "/run/key.pem", "-out", "/run/certificate.pem"});
  if (openssl.wait() != 0) return skip("openssl makes no certificate: " + openssl.standard_error());
  {
    std::ofstream both(certificate);
    both << std::ifstream("/run/key.pem").rdbuf() << std::ifstream("/run/certificate.pem").rdbuf();
  }
  const Proxy proxy(scene, "plain", certificate);
  const std::string url = "https://127.0.0.1:8124";
  Agent agent(scene.topology, fast);
  status_of_agent();
  {
    SendingHub hub(scene, {}, url);
    sent.send(0, 100, 1);
    wait_for_log(hub, "SSL certificate problem");
    stop(hub);
  }
  CHECK(scene.server->answer("SELECT count() FROM xdp_count.row") == "0\n");
  const SendingHub hub(scene, {"--clickhouse-ca", "/run/certificate.pem"}, url);
  wait_for_packets(scene, sent.all);
  check_audit(scene);
}

TEST_CASE("of a history that is begun anew nothing is sent that was sent before") {
  Scene scene;
  Sent sent(scene.topology);
  Agent agent(scene.topology, fast);
  status_of_agent();
  {
    SendingHub hub(scene);
    sent.send(0, 100, 1);
    wait_for_packets(scene, sent.all);
    stop(hub);
  }
  for (const char* part : {"", "-wal", "-shm"})
    std::filesystem::remove(std::string(history) + part);
  send_frames(scene.topology, ipv4_frames(ten_net, 50, 1));  // nobody can tell these any more
  wait_until_counted(150);
  const SendingHub hub(scene);
  wait_for_log(hub, "the first bucket of level 0 in /run/history.db is not sent");
  sent.send(0, 30, 1);
  wait_for_packets(scene, sent.all);
  CHECK(rows_in(scene) == sent.rows);
  const std::vector<std::string> found = scene.server->run("audit.sql");
  for (std::size_t i = 0; i < found.size(); ++i) CHECK((found[i] != "") == (i == 2));
}

TEST_CASE("the audit finds what is missing, twice or wrong") {
  Scene scene;
  Sent sent(scene.topology);
  Agent agent(scene.topology, fast);
  status_of_agent();
  {
    SendingHub hub(scene);
    for (int i = 0; i < 4; ++i) {
      sent.send(0, 10, 1);
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    wait_for_packets(scene, sent.all);
    stop(hub);
  }
  check_audit(scene);
  const std::string columns =
      "site, machine, agent, since, level, end_seq, time, address, peer, "
      "packets, bytes";
  const auto found = [&] {
    std::string which;
    for (const std::string& rows : scene.server->run("audit.sql")) which += rows == "" ? "0" : "1";
    return which;
  };
  std::string none_of_counts = "0";  // of all 22 columns
  for (int i = 1; i < 22; ++i) none_of_counts += ", 0";
  const auto change = [&](const std::string& statement) {
    CHECK(scene.server->answer(statement) == "");
  };
  // A row too many, of a bucket that has some.
  change("INSERT INTO xdp_count.row (" + columns +
         ") SELECT site, machine, agent, since, level, end_seq, time, '10.9.9.9', '', 1, 60 FROM "
         "xdp_count.row LIMIT 1");
  CHECK(found() == "10000");
  change("TRUNCATE TABLE xdp_count.row");
  CHECK(found() == "10000");
  change("CREATE TABLE xdp_count.spare AS xdp_count.bucket");
  change("INSERT INTO xdp_count.spare SELECT * FROM xdp_count.bucket FINAL");
  // The rows of a bucket that may be on its way, and of one that never came.
  const auto put_row = [&](const std::string& seq) {
    change("INSERT INTO xdp_count.row (" + columns +
           ") SELECT site, machine, agent, since, level, toUInt64(" + seq +
           "), now(), '10.0.0.1', '', 1, 60 FROM xdp_count.bucket WHERE level = 0 GROUP BY site, "
           "machine, agent, since, level");
  };
  put_row("max(end_seq) + 1");
  CHECK(found() == "10000");
  put_row("0");
  CHECK(found() == "11000");
  change("TRUNCATE TABLE xdp_count.row");
  const auto put_back = [&](const std::string& condition) {
    change("TRUNCATE TABLE xdp_count.bucket");
    change("INSERT INTO xdp_count.bucket SELECT * FROM xdp_count.spare WHERE " + condition);
  };
  // A bucket in the middle is missing.
  put_back(
      "end_seq != (SELECT end_seq FROM xdp_count.spare WHERE begin_seq > 0 ORDER BY end_seq "
      "LIMIT 1)");
  CHECK(found() == "10100");
  // The first one is.
  put_back("begin_seq != 0");
  CHECK(found() == "10100");
  // One says that the agent counted more.
  put_back("1");
  change(
      "ALTER TABLE xdp_count.bucket UPDATE counted_packets = counted_packets + 1 WHERE begin_seq "
      "= 0");
  while (scene.server->answer("SELECT min(is_done) FROM system.mutations") != "1\n")
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(found() == "10010");
  const std::int64_t now = xdp_count::unix_time_ms();
  const auto put = [&](const std::string& machine, int days_since, int level, int begin_seq,
                       int end_seq, int hours_ago) {
    change(fmt::format(
        "INSERT INTO xdp_count.bucket SELECT site, '{}' AS machine, agent, toInt64({}) AS since, "
        "{} AS level, {} AS begin_seq, {} AS end_seq, begin_time, end_time, now() - {} AS time, "
        "gap, interface, counted_by, prefix4, prefix6, {} FROM xdp_count.spare LIMIT 1",
        machine, now - days_since * xdp_count::HistoryFile::day_ms, level, begin_seq, end_seq,
        hours_ago * 3600, none_of_counts));
  };
  // Nothing is known of the beginning of a counting that is older than minutes are kept, but of
  // others it is.
  put_back("0");
  put("aged", 40, 0, 5, 9, 28 * 24);
  put("aged", 40, 0, 1, 2, 35 * 24);
  CHECK(found() == "00000");
  put("young", 20, 0, 5, 9, 3 * 24);
  CHECK(found() == "00100");
  // Hours and days are not there of what was recorded three days ago, though others come.
  put_back("0");
  put("gate", 3, 0, 0, 1, 3 * 24);
  put("gate", 3, 1, 0, 1, 3 * 24);
  CHECK(found() == "00000");  // the machine is silent
  put("gate", 0, 0, 0, 1, 0);
  CHECK(found() == "00000");  // it has just begun to send again
  put("gate", 0, 0, 1, 2, 4);
  CHECK(found() == "00001");
  put("gate", 3, 2, 0, 1, 3 * 24);
  CHECK(found() == "00000");
}
