// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <doctest/doctest.h>

#include <sstream>

#include "agent_fixture.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

namespace {

constexpr std::uint32_t ten_net = 0x0a000001;  // 10.0.0.1

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
  Agent agent(topology, {"-i", "0.1"});
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

  Agent agent(topology, {"-i", "0.1"});
  LineClient stream(default_socket);
  constexpr uid_t nobody = 65534;
  const Result stranger = countctl({"status"}, {.uid = nobody});
  CHECK(stranger.code == 1);
  CHECK(contains(stranger.error, "no permission"));

  Agent other(topology, {"-i", "0.1"}, {}, "lo");
  LineClient other_stream("/run/xdp-count/lo.sock");
  const Result two = countctl({"status"});
  CHECK(two.code == 1);
  CHECK(contains(two.error, "count0.sock, /run/xdp-count/lo.sock"));
}

TEST_CASE("the client that watches says goodbye with the agent") {
  const Topology topology;
  Agent agent(topology, {"-i", "0.1"});
  LineClient stream(default_socket);
  Process watch({CLIENT, "watch"});
  while (watch.standard_output().empty() && watch.running()) stream.next_of_type("snapshot");
  agent.signal(SIGTERM);
  CHECK(watch.wait() == 1);
  CHECK(contains(watch.standard_error(), "goodbye: stopped by SIGTERM"));
}
