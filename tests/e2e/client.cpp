// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "agent_fixture.hpp"
#include "base/address.hpp"
#include "base/time_format.hpp"
#include "protocol/json_encoding.hpp"
#include "scripted_agent.hpp"
#include "second_link.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

const std::string csv_header =
    "seq,time,src,dst,packets,bytes,pps,bps,first,last,pps_10s,bps_10s,pps_60s,bps_60s\r\n";

struct Result {
  int code;
  std::string out;
  std::string error;
};

Result countctl(std::vector<std::string> arguments, const ProcessOptions& options = {}) {
  arguments.insert(arguments.begin(), CLIENT);
  Process client(arguments, options);
  const int code = client.wait();
  return {code, client.standard_output(), client.standard_error()};
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

}  // namespace

TEST_CASE("the client shows the counts of sources") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 2, 1500));
  send_frames(topology, ipv4_frames(ten_net + 2, 1, 7));
  snapshot_with(stream, 3007);
  stream.next_of_type("snapshot");  // rates are 0 from here on

  const Result got = countctl({"get", "10.0.0.2", "198.51.100.1"});
  CHECK(got.code == 0);
  CHECK(words(got.out) == std::vector<std::string>{"SOURCE", "PACKETS/S", "BITS/S", "PACKETS",
                                                   "BYTES", "10.0.0.2", "0.0", "0.0", "1,500",
                                                   "90,000", "198.51.100.1", "has", "sent",
                                                   "nothing"});
  const Result top = countctl({"top", "-n", "1", "--by", "packets"});
  CHECK(top.code == 0);
  CHECK(contains(top.out, "10.0.0.1 "));
  CHECK(!contains(top.out, "10.0.0.2 "));

  const Result lines = countctl({"--json", "-i", "count0", "top", "--by", "packets"});
  const json answer = json::parse(lines.out);
  CHECK(answer.at("type") == "sources");
  CHECK(sources_of(answer).at("10.0.0.3") == Count{7, 420});

  const Result watched = countctl({"watch", "-c", "3", "--json", "-s", default_socket});
  std::istringstream snapshots(watched.out);
  std::vector<std::uint64_t> seqs;
  for (std::string line; std::getline(snapshots, line);)
    seqs.push_back(json::parse(line).at("seq"));
  REQUIRE(seqs.size() == 3);
  CHECK(seqs[2] == seqs[0] + 2);
  CHECK(contains(countctl({"watch", "-c", "1"}).out, "ipv4 3,007"));

  const Result status = countctl({"status"});
  CHECK(status.code == 0);
  CHECK(contains(status.out, "pid " + std::to_string(agent.pid())));
  CHECK(contains(status.out, "native (the driver supports it)"));
}

TEST_CASE("the client says what is wrong when it cannot ask") {
  const Topology topology;
  const Result none = countctl({"status"});
  CHECK(none.code == 1);
  CHECK(contains(none.error, "no agent is running"));
  const Result wrong = countctl({"-i", "nonesuch", "status"});
  CHECK(wrong.code == 1);
  CHECK(contains(wrong.error, "nonesuch.sock: No such file or directory; no agent serves it"));
  CHECK(countctl({"get"}).code == 2);
  CHECK(countctl({"get", "not-an-address"}).code == 2);
  CHECK(countctl({"top", "--by", "colour"}).code == 2);
  CHECK(countctl({}).code == 2);
  CHECK(countctl({"--help"}).code == 0);

  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  const Result stranger = countctl({"status"}, {.uid = nobody});
  CHECK(stranger.code == 1);
  CHECK(
      stranger.error ==
      "xdp-countctl: no permission to look into /run/xdp-count: only root may: use sudo, or start "
      "xdp-count with --socket-group and a group of yours\n");
  CHECK(contains(countctl({"status", "-i", "count0"}, {.uid = nobody}).error,
                 "count0.sock: Permission denied; only root may: use sudo, or "));

  Agent other(topology, {"--interval", "0.1"}, {}, "lo");
  LineClient other_stream("/run/xdp-count/lo.sock");
  const Result two = countctl({"list"});
  CHECK(two.code == 1);
  CHECK(contains(two.error, "count0.sock, /run/xdp-count/lo.sock"));
}

TEST_CASE("status is of all agents, and says of which there is none") {
  const Topology topology;
  const SecondLink second(topology);
  Agent agent(topology, {"--interval", "0.1"});
  Agent other(topology, {"--interval", "0.1"}, {}, SecondLink::name);
  LineClient stream(default_socket);
  LineClient other_stream(SecondLink::socket);
  const Result both = countctl({"status"});
  CHECK(both.code == 0);
  CHECK(contains(both.out, "\ninterface  count0 "));
  CHECK(contains(both.out, "\n\nagent      version "));
  CHECK(contains(both.out, "\ninterface  count1 "));
  const Result lines = countctl({"status", "--json", "-i", "count1", "-i", "count0"});
  std::istringstream statuses(lines.out);
  for (const char* interface : {"count1", "count0"}) {
    std::string line;
    REQUIRE(std::getline(statuses, line));
    CHECK(json::parse(line).at("interface") == interface);
  }

  // However often an agent is named, and by which of its paths, it is shown once.
  std::filesystem::create_symlink(default_socket, "/run/link.sock");
  for (const std::vector<std::string>& twice : std::vector<std::vector<std::string>>{
           {"-i", "count0", "-i", "count0"},
           {"-s", default_socket, "-s", "/run/xdp-count/../xdp-count/count0.sock"},
           {"-s", "/run/link.sock", "-s", default_socket}}) {
    std::vector<std::string> command{"status", "--json"};
    command.insert(command.end(), twice.begin(), twice.end());
    const Result once = countctl(command);
    CHECK(once.code == 0);
    CHECK(std::count(once.out.begin(), once.out.end(), '\n') == 1);
  }

  kill(agent);
  const Result one = countctl({"status"});
  CHECK(one.code == 1);
  CHECK(one.error ==
        "xdp-countctl: connecting to /run/xdp-count/count0.sock: Connection refused; the agent "
        "that made it is gone: start xdp-count on the interface again\n");
  CHECK(!contains(one.out, "count0"));
  CHECK(contains(one.out, "\ninterface  count1 "));
}

TEST_CASE("a user outside of the socket's group reads which one it is") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--socket-group", "daemon"});
  LineClient stream(default_socket);
  const std::string remedy =
      "root and the group daemon may: use sudo, or join the group (sudo usermod -aG daemon USER) "
      "and log in anew\n";
  const Result any = countctl({"status"}, {.uid = nobody});
  CHECK(any.code == 1);
  CHECK(any.error == "xdp-countctl: no permission to look into /run/xdp-count: " + remedy);
  const Result named = countctl({"-i", "count0", "status"}, {.uid = nobody});
  CHECK(named.code == 1);
  CHECK(named.error ==
        "xdp-countctl: connecting to /run/xdp-count/count0.sock: Permission denied; " + remedy);
}

TEST_CASE("an interface that was renamed is found by its new name, and others are listed") {
  const Topology topology;
  const SecondLink second(topology);
  Agent agent(topology, {"--interval", "0.1"});
  Agent other(topology, {"--interval", "0.1"}, {}, SecondLink::name);
  LineClient stream(default_socket);
  LineClient other_stream(SecondLink::socket);
  ip(topology, {"link", "set", "dev", SecondLink::name, "down"});
  ip(topology, {"link", "set", "dev", SecondLink::name, "name", "uplink0"});
  while (other_stream.answer_to({{"cmd", "status"}}).at("interface") != "uplink0") {
  }
  const Result found = countctl({"status", "-i", "uplink0"});
  CHECK(found.code == 0);
  CHECK(contains(found.out, "\ninterface  uplink0 "));
  CHECK(contains(found.out, "\nsocket     /run/xdp-count/count1.sock\n"));
  const Result both_names = countctl({"status", "--json", "-i", "count1", "-i", "uplink0"});
  CHECK(both_names.code == 0);
  CHECK(std::count(both_names.out.begin(), both_names.out.end(), '\n') == 1);
  const Result none = countctl({"list", "-i", "uplink1"});
  CHECK(none.code == 1);
  CHECK(none.error ==
        "xdp-countctl: no agent counts on uplink1; those that are running count on: count0, "
        "uplink0\n");
}

TEST_CASE("get looks names up where it is asked to, and says which has no address") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  send_frames(topology, ipv4_frames(0x7f000001, 1, 3));
  snapshot_with(stream, 3);
  // In the namespace there is nobody to ask but the hosts file.
  const ProcessOptions alone{.network_namespace = topology.receiver()};
  const Result got = countctl({"get", "--resolve", "localhost"}, alone);
  CHECK(got.code == 0);
  CHECK(got.out.starts_with("localhost: 127.0.0.1\nSOURCE "));
  CHECK(contains(got.out, "\n127.0.0.1 "));
  const json answer = json::parse(countctl({"get", "--resolve", "localhost", "--json"}, alone).out);
  CHECK(sources_of(answer) == std::map<std::string, Count>{{"127.0.0.1", {3, 180}}});
  const Result unknown = countctl({"get", "--resolve", "localhos"}, alone);
  CHECK(unknown.code == 1);
  CHECK(unknown.error.starts_with("xdp-countctl: looking up the addresses of 'localhos': "));
  CHECK(countctl({"get", "localhos"}, alone).code == 2);
}

TEST_CASE("CSV has a header, a record for each source and exact numbers") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 1, 12'345));
  snapshot_with(stream, 12'345);
  stream.next_of_type("snapshot");  // rates are 0 from here on

  const json row = stream.answer_to({{"cmd", "get"}, {"address", "10.0.0.1"}}).at("sources").at(0);
  const std::string record = ",10.0.0.1,,12345,740700,0.000,0.000," +
                             row.at("first").get<std::string>() + "," +
                             row.at("last").get<std::string>() + ",";
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"get", "10.0.0.1"}, {"top"}, {"list"}, {"watch", "-c", "1"}}) {
    std::vector<std::string> arguments{"--format", "csv"};
    arguments.insert(arguments.end(), command.begin(), command.end());
    const Result result = countctl(arguments);
    CAPTURE(result.out);
    CHECK(result.code == 0);
    CHECK(result.out.starts_with(csv_header));
    const std::size_t at = result.out.find(record);
    REQUIRE(at != std::string::npos);
    // Rates over 10 and over 60 s: as long as both are the same few ticks, they are equal.
    double pps[2] = {};
    double bps[2] = {};
    CHECK(std::sscanf(result.out.c_str() + at + record.size(), "%lf,%lf,%lf,%lf\r\n", &pps[0],
                      &bps[0], &pps[1], &bps[1]) == 4);
    CHECK(pps[0] > 0);
    CHECK(pps[1] == pps[0]);
    CHECK(bps[0] == doctest::Approx(pps[0] * 60 * 8));
    CHECK(bps[1] == bps[0]);
    CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 2);
  }
  const Result missing = countctl({"get", "--format", "csv", "192.0.2.1"});
  CHECK(missing.out.ends_with(",192.0.2.1,,0,0,0.000,0.000,,,0.000,0.000,0.000,0.000\r\n"));

  const Result status = countctl({"status", "--format", "csv"});
  CHECK(status.out.starts_with("field,value\r\ntype,status\r\n"));
  CHECK(contains(status.out, "\r\npid," + std::to_string(agent.pid()) + "\r\n"));
  CHECK(contains(status.out, "\r\noptions.interval,0.1\r\n"));
}

TEST_CASE("the client does not deny a source that was evicted or found no place") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--max-sources", "4", "--hot-slots", "8"});
  LineClient stream(default_socket);
  // The first four are tracked; of so many at once, most are never given a place.
  send_frames(topology, ipv4_frames(ten_net, 4));
  snapshot_with(stream, 4);
  send_frames(topology, ipv4_frames(ten_net + 100, 100, 2));
  snapshot_with(stream, 204);
  std::vector<std::string> addresses;
  for (std::uint32_t i = 0; i < 100; ++i)
    addresses.push_back(xdp_count::address_text(ten_net + 100 + i));
  const json answer = stream.answer_to({{"cmd", "get"}, {"address", addresses}});
  REQUIRE(answer.at("missing").size() >= 96);
  Count counted;  // of all, in a row or not
  const json all = stream.answer_to({{"cmd", "list"}});
  for (const json& row : all.at("sources")) counted.packets += count_of(row).packets;
  counted.packets += count_of(answer.at("untracked")).packets;
  counted.packets += count_of(answer.at("evicted")).packets;
  CHECK(counted.packets == 204);

  const std::string missing = answer.at("missing").at(0);
  const Result table = countctl({"get", missing});
  CHECK(table.code == 0);
  CHECK(!contains(table.out, "nothing"));
  CHECK(contains(table.out, fmt::format("{:<15} is not in the table\n", missing)));
  CHECK(contains(
      table.out,
      fmt::format("(Whether those have sent is not known: {} IPv4 packets are untracked, and {} "
                  "packets of {} sources evicted.)\n",
                  count_of(answer.at("untracked")).packets, count_of(answer.at("evicted")).packets,
                  answer.at("evicted").at("sources").get<std::uint64_t>())));
  CHECK(countctl({"get", "--format", "csv", missing})
            .out.ends_with("," + missing + ",,,,,,,,,,,\r\n"));
}

TEST_CASE("before the first interval has passed nothing is known of any source") {
  const Topology topology;
  Agent agent(topology, {"--interval", "3600"});
  LineClient stream(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 1));
  CHECK(contains(countctl({"get", "10.0.0.1"}).out,
                 "\n10.0.0.1        is not known before the first interval has passed\n"));
  CHECK(countctl({"get", "--format", "csv", "10.0.0.1"}).out.ends_with(",10.0.0.1,,,,,,,,,,,\r\n"));
  const json answer = stream.answer_to({{"cmd", "get"}, {"address", "10.0.0.1"}});
  CHECK(answer.at("seq") == 0);
  CHECK(answer.at("time") == stream.answer_to({{"cmd", "status"}}).at("since"));
}

TEST_CASE("watch in CSV names each record's snapshot, and has one header") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 2, 10));
  snapshot_with(stream, 20);
  const Result watched = countctl({"watch", "--format", "csv", "-c", "3", "--every", "2"});
  CHECK(watched.code == 0);
  std::istringstream lines(watched.out);
  std::vector<std::uint64_t> seqs;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    CHECK(contains(line, seqs.size() % 2 == 0 ? ",10.0.0.1,,10,600," : ",10.0.0.2,,10,600,"));
    seqs.push_back(std::stoull(line));
  }
  REQUIRE(seqs.size() == 6);
  CHECK(seqs == std::vector{seqs[0], seqs[0], seqs[0] + 2, seqs[0] + 2, seqs[0] + 4, seqs[0] + 4});
}

TEST_CASE("watch of each Nth snapshot has rates over all of the time between two") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  send_frames(topology, ipv4_frames(ten_net, 1, 10));
  snapshot_with(stream, 10);
  Process watch({CLIENT, "watch", "--format", "csv", "--every", "5"});
  const auto wait_for = [&](const std::string& record) {
    while (!contains(watch.standard_output(), record) && watch.running())
      stream.next_of_type("snapshot");
  };
  wait_for(",10.0.0.1,,10,600,");
  send_frames(topology, ipv4_frames(ten_net, 2, 40));
  wait_for(",10.0.0.1,,50,3000,");
  wait_for(",10.0.0.2,,40,2400,");
  watch.signal(SIGINT);
  watch.wait();

  struct Record {
    std::string time, packets, bytes;
  };
  std::map<std::string, Record> before;  // by source
  std::string time_before;               // of the snapshot before the present one
  std::string time_now;
  std::size_t above_zero = 0;
  std::istringstream lines(watch.standard_output());
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string seq, time, source, destination, packets, bytes, pps, bps;
    for (std::string* field : {&seq, &time, &source, &destination, &packets, &bytes, &pps, &bps})
      std::getline(fields, *field, ',');
    if (time != time_now) time_before = std::exchange(time_now, time);
    const auto then = before.find(source);
    const Record earlier = then == before.end() ? Record{time_before, "0", "0"} : then->second;
    before[source] = {time, packets, bytes};
    if (earlier.time.empty()) {
      CHECK(pps + bps == "");  // of the first snapshot
      continue;
    }
    const auto ms = [](const std::string& text) { return *xdp_count::parse_rfc3339(text); };
    const double seconds = static_cast<double>(ms(time) - ms(earlier.time)) / 1000;
    const auto rate = [&](const std::string& now, const std::string& old, int unit) {
      return fmt::format("{:.3f}",
                         static_cast<double>(std::stoi(now) - std::stoi(old)) * unit / seconds);
    };
    CAPTURE(line);
    CHECK(pps == rate(packets, earlier.packets, 1));
    CHECK(bps == rate(bytes, earlier.bytes, 8));
    if (pps != "0.000") ++above_zero;
  }
  CHECK(above_zero >= 2);
  CHECK(
      contains(countctl({"watch", "--every", "3", "-c", "1"}).out, " frames  - frames/s  - bit/s"));
}

TEST_CASE("list is sorted on request") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  constexpr std::uint32_t sources = 1500;  // two parts
  send_frames(topology, ipv4_frames(ten_net, sources));
  send_frames(topology, ipv4_frames(ten_net + 7, 1, 4));
  send_frames(topology, ipv4_frames(ten_net + 1400, 1, 5));
  snapshot_with(stream, sources + 9);
  stream.next_of_type("snapshot");
  const auto column_of = [](const std::string& csv) {
    std::istringstream lines(csv);
    std::vector<std::string> found;
    for (std::string line; std::getline(lines, line);) {
      const std::size_t begin = line.find(',', line.find(',') + 1) + 1;
      found.push_back(line.substr(begin, line.find(',', begin) - begin));
    }
    return found;
  };
  const std::vector<std::string> all =
      column_of(countctl({"list", "--sort", "packets", "--format", "csv"}).out);
  REQUIRE(all.size() == sources + 1);
  CHECK(all[1] == "10.0.5.121");
  CHECK(all[2] == "10.0.0.8");
  CHECK(all[3] == "10.0.0.1");
  CHECK(all.back() == "10.0.5.220");
  CHECK(column_of(countctl({"list", "--sort", "bytes", "--limit", "2", "--format", "csv"}).out) ==
        std::vector<std::string>{"src", "10.0.5.121", "10.0.0.8"});
  const Result table = countctl({"list", "--sort", "packets", "--limit", "1"});
  CHECK(contains(table.out, "  FIRST                 LAST\n10.0.5.121 "));
}

TEST_CASE("list has all sources in the order of their addresses, or those asked for") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  LineClient stream(default_socket);
  constexpr std::uint32_t sources = 2500;  // three parts
  send_frames(topology, ipv4_frames(ten_net, sources));
  send_frames(topology, ipv4_frames(ten_net + 7, 1, 4));
  snapshot_with(stream, sources + 4);
  stream.next_of_type("snapshot");

  const Result table = countctl({"list"});
  CHECK(table.code == 0);
  std::istringstream lines(table.out);
  std::string line;
  std::getline(lines, line);
  CHECK(line ==
        "SOURCE            PACKETS/S      BITS/S           PACKETS                 BYTES"
        "  FIRST                 LAST");
  const json eighth =
      stream.answer_to({{"cmd", "get"}, {"address", "10.0.0.8"}}).at("sources").at(0);
  const auto to_second = [](const json& time) {
    return time.get<std::string>().substr(0, 19) + "Z";
  };
  const std::string times =
      "  " + to_second(eighth.at("first")) + "  " + to_second(eighth.at("last"));
  for (std::uint32_t i = 0; i < sources; ++i) {
    std::getline(lines, line);
    REQUIRE(line.size() > times.size());
    // The others may have been seen in a tick before or after.
    if (i == 7) CHECK(line.ends_with(times));
    line.resize(line.size() - times.size());
    const char* counts =
        i == 7 ? "{:<15}        0.0         0.0                  5                   300"
               : "{:<15}        0.0         0.0                  1                    60";
    REQUIRE(line == fmt::format(fmt::runtime(counts), xdp_count::address_text(ten_net + i)));
  }
  CHECK(!std::getline(lines, line));

  std::istringstream parts(countctl({"list", "--json"}).out);
  std::uint64_t rows = 0;
  bool more = true;
  for (; more && std::getline(parts, line); rows += json::parse(line).at("sources").size())
    more = json::parse(line).at("more");
  CHECK(rows == sources);
  CHECK(!std::getline(parts, line));

  const auto addresses = [](const std::vector<std::string>& arguments) {
    std::vector<std::string> command{"list", "--json"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    std::vector<std::string> found;
    const json answer = json::parse(countctl(command).out);
    for (const json& row : answer.at("sources")) found.push_back(row.at("src"));
    return found;
  };
  using Addresses = std::vector<std::string>;
  CHECK(addresses({"--prefix", "10.0.0.6/31"}) == Addresses{"10.0.0.6", "10.0.0.7"});
  CHECK(addresses({"--min-packets", "2"}) == Addresses{"10.0.0.8"});
  CHECK(addresses({"--limit", "2"}) == Addresses{"10.0.0.1", "10.0.0.2"});
  CHECK(addresses({"--prefix", "192.0.2.0/24"}).empty());
  CHECK(addresses({"--prefix", "10.0.0.9"}) == Addresses{"10.0.0.9"});
}

TEST_CASE("watch goes on with the next agent, and says so") {
  const Topology topology;
  std::optional<Agent> agent;
  agent.emplace(topology, std::vector<std::string>{"--interval", "0.1"});
  LineClient stream(default_socket);
  Process watch({CLIENT, "watch", "--json", "--by", "bytes", "-n", "1", "--prefix", "10.0.0.0/8"});
  while (watch.standard_output().empty() && watch.running()) stream.next_of_type("snapshot");
  agent->signal(SIGTERM);
  CHECK(agent->wait() == 0);
  agent.emplace(topology, std::vector<std::string>{"--interval", "0.1"});
  LineClient next(default_socket);
  const auto said = [&](const std::string& text) { return contains(watch.standard_error(), text); };
  while (!said("connected again") && watch.running()) next.next_of_type("snapshot");
  send_frames(topology, ipv4_frames(ten_net, 2, 5));
  send_frames(topology, ipv4_frames(0xc0000201, 1, 9));
  snapshot_with(next, 19);
  const std::string counted = R"("frames":{"packets":19,)";
  while (!contains(watch.standard_output(), counted) && watch.running())
    next.next_of_type("snapshot");

  CHECK(watch.running());
  CHECK(watch.standard_error() ==
        "xdp-countctl: the agent says goodbye: stopped by SIGTERM; waiting for it to come back\n"
        "xdp-countctl: connected again to /run/xdp-count/count0.sock\n");
  const std::string out = watch.standard_output();
  const std::size_t begin = out.rfind('\n', out.find(counted)) + 1;
  const json last = json::parse(out.substr(begin, out.find('\n', begin) - begin));
  CHECK(sources_of(last) == std::map<std::string, Count>{{"10.0.0.1", {5, 300}}});
}

TEST_CASE("watch waits while a new agent is busy, and ends when one refuses the request") {
  const Topology topology;
  const ScriptedAgent agent;
  const std::string ok = "{\"type\":\"ok\"}\n";
  const std::string busy = "{\"type\":\"error\",\"code\":\"busy\",\"message\":\"too many\"}\n";
  Process watch({CLIENT, "watch", "-s", ScriptedAgent::path});
  ScriptedAgent::say(agent.next_client(), ok);
  ScriptedAgent::say(agent.next_client(), busy);
  ScriptedAgent::say(agent.next_client(), busy);
  {
    const auto client = agent.next_client();
    ScriptedAgent::say(client, ok);
    ScriptedAgent::say(client,
                       "{\"type\":\"error\",\"code\":\"bad_request\",\"message\":\"no\"}\n");
    CHECK(watch.wait() == 1);
  }
  CHECK(watch.standard_error() ==
        "xdp-countctl: the agent closed the connection; waiting for it to come back\n"
        "xdp-countctl: connected again to /run/scripted.sock\n"
        "xdp-countctl: the agent says: no\n");

  Process refused({CLIENT, "watch", "-s", ScriptedAgent::path});
  ScriptedAgent::say(agent.next_client(), busy);
  CHECK(refused.wait() == 1);
  CHECK(refused.standard_error() == "xdp-countctl: the agent says: too many\n");
}

TEST_CASE("watch shows nothing of the stream that the agent sent before it was asked") {
  const Topology topology;
  const ScriptedAgent agent;
  const auto snapshot = [](std::uint64_t seq) {
    return xdp_count::encode_snapshot_body({.seq = seq}, {}) + xdp_count::encode_snapshot_end(0);
  };
  Process watch({CLIENT, "watch", "--json", "-c", "1", "-s", ScriptedAgent::path});
  const auto client = agent.next_client();
  ScriptedAgent::say(client, snapshot(1));
  ScriptedAgent::say(client, "{\"type\":\"ok\"}\n");
  ScriptedAgent::say(client, snapshot(2));
  CHECK(watch.wait() == 0);
  CHECK(watch.standard_output() == snapshot(2));
}

TEST_CASE("an answer that stays incomplete is a failure") {
  const Topology topology;
  const ScriptedAgent agent;
  Process list({CLIENT, "list", "--format", "csv", "-s", ScriptedAgent::path});
  ScriptedAgent::say(agent.next_client(), xdp_count::encode_sources("", {.seq = 1}, {}, {}, true));
  CHECK(list.wait() == 1);
  CHECK(list.standard_output() == csv_header);
  CHECK(list.standard_error() ==
        "xdp-countctl: the agent closed the connection before its answer was complete\n");
}

TEST_CASE("an agent that is stopped is reported, whatever it is asked") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events", "--sample", "1"});
  LineClient stream(default_socket);
  stream.next_of_type("snapshot");
  agent.signal(SIGSTOP);
  std::list<Process> clients;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"status"},
                                             {"get", "10.0.0.1"},
                                             {"list"},
                                             {"top"},
                                             {"watch"},
                                             {"events"},
                                             {"events", "--new"},
                                             {"samples", "--pcap", "-"}}) {
    std::vector<std::string> words{CLIENT};
    words.insert(words.end(), command.begin(), command.end());
    clients.emplace_back(words);
  }
  // This one takes no connections either: as many wait as may.
  const ScriptedAgent full;
  std::vector<xdp_count::UniqueFd> waiting;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string(ScriptedAgent::path).copy(address.sun_path, sizeof address.sun_path - 1);
  do waiting.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  while (::connect(waiting.back().get(), reinterpret_cast<const sockaddr*>(&address),
                   sizeof address) == 0);
  REQUIRE(errno == EAGAIN);
  Process unconnected({CLIENT, "status", "-s", ScriptedAgent::path});

  const auto silence = [](const std::string& path) {
    return "xdp-countctl: the agent at " + path +
           " has not answered for 5 s: it is stopped, and goes on with fg in the shell where "
           "Ctrl-Z stopped it, else with kill -CONT; or it is overloaded: try again later\n";
  };
  for (Process& client : clients) {
    CHECK(client.wait() == 1);
    CHECK(client.standard_output() == "");
    CHECK(client.standard_error() == silence(default_socket));
  }
  CHECK(unconnected.wait() == 1);
  CHECK(unconnected.standard_error() == silence(ScriptedAgent::path));
  agent.signal(SIGCONT);
  CHECK(countctl({"status"}).code == 0);
}

TEST_CASE("an answer that keeps coming, and the next snapshot, may take longer than patience") {
  const Topology topology;
  const ScriptedAgent agent;
  Process watch({CLIENT, "watch", "--json", "-c", "1", "-s", ScriptedAgent::path});
  const auto watching = agent.next_client();
  ScriptedAgent::say(watching, "{\"type\":\"ok\"}\n");
  Process list({CLIENT, "list", "--json", "-s", ScriptedAgent::path});
  const auto listing = agent.next_client();
  const auto part = [](bool more) {
    return xdp_count::encode_sources("", {.seq = 1}, {}, {}, more);
  };
  for (int i = 0; i < 3; ++i) {
    ScriptedAgent::say(listing, part(true));
    std::this_thread::sleep_for(std::chrono::seconds(2));
  }
  ScriptedAgent::say(listing, part(false));
  CHECK(list.wait() == 0);
  CHECK(list.standard_error() == "");
  ScriptedAgent::say(watching, xdp_count::encode_snapshot_body({.seq = 1}, {}) +
                                   xdp_count::encode_snapshot_end(0));
  CHECK(watch.wait() == 0);
  CHECK(watch.standard_error() == "");
}

TEST_CASE("watch goes on looking for an agent that comes back and does not answer") {
  const Topology topology;
  const ScriptedAgent agent;
  Process watch({CLIENT, "watch", "-s", ScriptedAgent::path});
  ScriptedAgent::say(agent.next_client(), "{\"type\":\"ok\"}\n");
  const auto silent = agent.next_client();
  const auto answered = agent.next_client();
  ScriptedAgent::say(answered, "{\"type\":\"ok\"}\n");
  while (!contains(watch.standard_error(), "again") && watch.running())
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(watch.running());
  CHECK(watch.standard_error() ==
        "xdp-countctl: the agent closed the connection; waiting for it to come back\n"
        "xdp-countctl: connected again to /run/scripted.sock\n");
}

TEST_CASE("Ctrl-C, and a reader that goes away, end watch without a word") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--events"});
  LineClient stream(default_socket);
  Process interrupted({CLIENT, "watch"});
  while (interrupted.standard_output().empty() && interrupted.running())
    stream.next_of_type("snapshot");
  interrupted.signal(SIGINT);
  CHECK(interrupted.wait() == 128 + SIGINT);
  CHECK(interrupted.standard_error() == "");

  // One reader is gone before anything is written, the other while there is nothing to write.
  for (const bool idle : {false, true}) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    xdp_count::UniqueFd reading(pipe[0]);
    xdp_count::UniqueFd writing(pipe[1]);
    if (!idle) reading.reset();
    Process watch({CLIENT, "watch", "--every", idle ? "86400" : "1"},
                  {.standard_output = writing.get()});
    writing.reset();
    reading.reset();
    CHECK(watch.wait() == 128 + SIGPIPE);
    CHECK(watch.standard_error() == "");
  }
  // The same where standard output is a socket, which does not fail but hangs up.
  for (const bool idle : {false, true}) {
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    xdp_count::UniqueFd reading(pair[0]);
    xdp_count::UniqueFd writing(pair[1]);
    if (!idle) reading.reset();
    Process events({CLIENT, idle ? "events" : "watch"}, {.standard_output = writing.get()});
    writing.reset();
    reading.reset();
    CHECK(events.wait(std::chrono::seconds(10)) == 128 + SIGPIPE);
    CHECK(events.standard_error() == "");
  }
  Process closed({"/bin/sh", "-c", "exec " CLIENT " watch >&-"});
  CHECK(closed.wait() == 1);
  CHECK(closed.standard_error() ==
        "xdp-countctl: writing to standard output: Bad file descriptor\n");
}
