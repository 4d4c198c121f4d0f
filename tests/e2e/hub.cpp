// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The hub with real agents, read as Prometheus reads it and attacked as a server over HTTP is.
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <list>
#include <map>
#include <sstream>
#include <thread>

#include "hub_fixture.hpp"
#include "scripted_agent.hpp"
#include "second_link.hpp"
#include "tested_rows.hpp"

using namespace xdp_count::testing;
using nlohmann::json;

TEST_CASE("the hub's metrics are what agents count, and so are the client's") {
  const Topology topology;
  const SecondLink second(topology);
  const Hub hub;  // before there is the directory of sockets
  Agent agent(topology, {"--interval", "0.1"});
  Agent other(topology, {"--interval", "0.1", "--families", "ipv4"}, {}, SecondLink::name);
  metrics_with(up1, 1);
  send_frames(topology, frames_of(xdp_count::Family::ipv4, ten_net, 7, 20));
  send_frames(topology, frames_of(xdp_count::Family::ipv6, ten_net, 3, 10));
  second.send(frames_of(xdp_count::Family::ipv6, ten_net, 2, 5));

  metrics_with("xdp_count_frames_total,class=ipv6,interface=count1", 10);
  Samples samples = metrics_when([&](const Samples& all) {
    return all.at(ipv4_frames0) == 140 &&
           all.at("xdp_count_frames_total,class=ipv6,interface=count0") == 30;
  });
  const Samples expected{
      {up0, 1},
      {up1, 1},
      {"xdp_count_frame_bytes_total,class=ipv4,interface=count0", 8400},
      {"xdp_count_frame_bytes_total,class=ipv6,interface=count0", 1800},
      {"xdp_count_frames_total,class=arp,interface=count0", 0},
      {"xdp_count_frames_total,class=malformed,interface=count0", 0},
      {"xdp_count_frames_total,class=ipv4,interface=count1", 0},
      {"xdp_count_nic_frames_total,interface=count0", 170},
      {"xdp_count_tracked_sources,interface=count0", 10},
      {"xdp_count_tracked_sources,interface=count1", 0},
      {"xdp_count_untracked_packets_total,family=ipv6,interface=count0", 0},
      {"xdp_count_untracked_packets_total,family=ipv6,interface=count1", 10},
      {"xdp_count_untracked_bytes_total,family=ipv6,interface=count1", 600},
      {"xdp_count_interface_running,interface=count0", 1},
      {"xdp_count_clients,interface=count0", 1},  // the hub, once
  };
  for (const auto& [series, value] : expected) {
    REQUIRE_MESSAGE(samples.contains(series), series);
    CHECK_MESSAGE(samples.at(series) == value, series);
  }

  // The other format has the same samples.
  const HttpAnswer open = answer_to(
      "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text\r\n\r\n");
  const Samples open_samples = samples_in(open.body, {"--open-metrics"});
  CHECK(open_samples.size() == samples.size());
  CHECK(open_samples.at(ipv4_frames0) == 140);

  Process client({CLIENT, "metrics"});
  CHECK(client.wait() == 0);
  Samples of_client = samples_in(client.standard_output());
  CHECK(of_client.size() == samples.size());
  for (const auto& [series, value] : expected)
    if (!series.starts_with("xdp_count_clients"))
      CHECK_MESSAGE(of_client.at(series) == value, series);
  CHECK(hub.standard_error().find("error") == std::string::npos);
}

TEST_CASE(
    "the hub follows agents that are killed, come back, end, and whose interface is renamed") {
  const Topology topology;
  Agent first(topology, {"--interval", "0.1"});
  Hub hub;
  metrics_with(up0, 1);
  send_frames(topology, ipv4_frames(ten_net, 2, 25));
  metrics_with(ipv4_frames0, 50);

  kill(first);
  const Samples down = metrics_with(up0, 0);
  CHECK(down.size() == 1);  // nothing else is known of it

  Agent second(topology, {"--interval", "0.1"});
  metrics_with(ipv4_frames0, 50);

  // A stopped agent answers nobody.
  second.signal(SIGSTOP);
  metrics_with(up0, 0);
  second.signal(SIGCONT);
  metrics_with(up0, 1);

  ip(topology, {"link", "set", "dev", "count0", "name", "lan0"});
  metrics_with("xdp_count_frames_total,class=ipv4,interface=lan0", 50);

  second.signal(SIGTERM);
  CHECK(second.wait() == 0);
  metrics_when([](const Samples& samples) { return samples.empty(); });
  hub.signal(SIGTERM);
  CHECK(hub.wait() == 0);
  CHECK_FALSE(std::filesystem::exists(hub_socket));
}

TEST_CASE("a hub that is killed or hangs costs an agent nothing") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.5"});
  LineClient client(default_socket);
  Hub hub;
  metrics_with(up0, 1);
  hub.signal(SIGSTOP);
  const auto before = client.next_of_type("snapshot").at("seq").get<std::uint64_t>();
  for (std::uint64_t seq = before + 1; seq <= before + 6; ++seq)
    CHECK(client.next_of_type("snapshot").at("seq") == seq);
  hub.signal(SIGKILL);
  CHECK(hub.wait() == 128 + SIGKILL);
  const Hub next;  // in spite of the socket that the first one has left
  metrics_with(up0, 1);
  const auto last = client.next_of_type("snapshot").at("seq").get<std::uint64_t>();
  CHECK(client.next_of_type("snapshot").at("seq") == last + 1);
  CHECK(status_of_agent().at("ticks_missed") == 0);
}

TEST_CASE("what is no agent, or says what no agent says, is down") {
  const Topology topology;
  std::filesystem::create_directory("/run/xdp-count");
  std::ofstream("/run/xdp-count/file.sock") << "no socket";
  const ScriptedAgent agent;
  std::filesystem::create_symlink(ScriptedAgent::path, "/run/xdp-count/odd.sock");
  Hub hub;
  for (const char* line : {"no JSON\n", "{\"type\":\"status\"}\n", "{}\n", "\n", "[1]\n"}) {
    const auto client = agent.next_client();
    ScriptedAgent::say(client, line);
    const Samples samples = metrics();
    CHECK(samples == Samples{{"xdp_count_agent_up,interface=odd", 0}});
  }
  agent.next_client();  // it has survived the last one
  CHECK(hub.running());
}

TEST_CASE("an agent is asked for new sources while somebody looks, and is told when nobody does") {
  const Topology topology;
  json status;
  {
    Agent real(topology, {"--events"});
    status = LineClient(default_socket).answer_to({{"cmd", "status"}});
  }
  const ScriptedAgent agent;
  std::filesystem::create_symlink(ScriptedAgent::path, "/run/xdp-count/odd.sock");
  const Hub hub;
  const auto client = agent.next_client();
  // What the hub subscribes to next, while it hears this: that all is well.
  std::string words = status.dump() + "\n";
  int pause_ms = 200;
  std::string requests;
  const auto next_subscription = [&] {
    const auto end = std::chrono::steady_clock::now() + HttpClient::patience;
    for (;;) {
      const auto line_end = requests.find('\n');
      if (line_end == requests.npos) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        ScriptedAgent::say(client, words);
        pollfd readable{client.get(), POLLIN, 0};
        char bytes[4096];
        if (::poll(&readable, 1, pause_ms) == 1) {
          const ssize_t size = ::recv(client.get(), bytes, sizeof bytes, 0);
          REQUIRE(size > 0);
          requests.append(bytes, static_cast<std::size_t>(size));
        }
        continue;
      }
      json request = json::parse(requests.substr(0, line_end));
      requests.erase(0, line_end + 1);
      if (request.at("cmd") == "subscribe") return request;
    }
  };
  CHECK_FALSE(next_subscription().contains("events"));
  const std::string event =
      R"({"type":"event","event":"new_source","time":"2026-11-21T01:06:53.017562Z","src":")";
  {
    HttpClient page;
    REQUIRE(page.send("GET /api/stream?agent=odd.sock HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const json subscription = next_subscription();
    CHECK(subscription.at("events") == json{"new_source"});
    CHECK(subscription.at("top") == 0);
    ScriptedAgent::say(client, event + "192.0.2.1\"}\n" + event + "192.0.2.2\",\"lost\":2}\n");
    CHECK(page.hears("\"came\":\"2\",\"lost\":\"2\""));
  }
  // A flood of them, faster than they can be read, does not keep the hub from that.
  for (int i = 0; i < 5000; ++i) words += event + "192.0.2.3\"}\n";
  pause_ms = 0;
  const int always_more = 16 << 20;  // bytes that wait to be read
  REQUIRE(::setsockopt(client.get(), SOL_SOCKET, SO_SNDBUFFORCE, &always_more,
                       sizeof always_more) == 0);
  CHECK_FALSE(next_subscription().contains("events"));
}

TEST_CASE("requests that hope for a careless server get an answer or an end, and nobody waits") {
  const Topology topology;
  const Hub hub;
  for (const auto& [request, status] : std::vector<std::pair<std::string, int>>{
           {"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
           {"GET /metrics HTTP/1.1\r\n\r\n", 400},
           {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400},
           {"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405},
           {"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx", 413},
           {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", 413},
           {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400},
           {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2"
            "\r\n\r\n",
            400},
           {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400},
           {"GET /metrics HTTP/1.1\r\nHost : localhost\r\n\r\n", 400},
           {"GET  /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
           {"GET /metrics HTTP/9.9\r\nHost: localhost\r\n\r\n", 400},
           {std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10), 400},
           {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
           {"GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\n",
            400},
           {"GET /" + std::string(20'000, 'x') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431},
           {"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
            431},
           {"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404},
           {"GET /%2e%2e/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 404}})
    CHECK_MESSAGE(answer_to(request).status == status, request.substr(0, 100));

  // Several in one piece are answered in order.
  HttpClient pipeline;
  REQUIRE(pipeline.send(get_metrics + "HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" +
                        "GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  CHECK(pipeline.next().status == 200);
  CHECK(pipeline.next(false).status == 200);
  CHECK(pipeline.next().status == 404);
  CHECK(pipeline.is_closed());
}

TEST_CASE("connections beyond the most that there may be are told so, and memory stays") {
  const Topology topology;
  const Hub hub({"--max-connections", "100"});
  metrics();
  const double before = resident_mib(hub.pid());
  std::list<HttpClient> clients;
  for (int i = 0; i < 100; ++i) CHECK(clients.emplace_back().send("GET /metr"));
  for (int i = 0; i < 500; ++i) {
    HttpClient refused;
    CHECK(refused.next().status == 503);
  }
  CHECK(clients.front().send("ics HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK(clients.front().next().status == 200);
  CHECK(resident_mib(hub.pid()) < before + 8);
  // Those that never finish a request are closed, and their places are free again.
  CHECK(clients.back().is_closed());
  clients.clear();
  metrics();
}

TEST_CASE("ten thousand connections, and heads of 100 MB, cost nothing that stays") {
  const Topology topology;
  const Hub hub;
  metrics();
  const double before = resident_mib(hub.pid());
  // Some say nothing, some half a request, and some do not wait for an answer.
  for (int i = 0; i < 10'000; ++i) {
    const HttpClient client;
    if (i % 3 == 1) client.send("GET /metr");
    if (i % 3 == 2) client.send(get_metrics);
  }
  const std::string more(1'000'000, 'x');
  for (const std::string begin : {"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", "GET /", ""}) {
    HttpClient client;
    client.send(begin);
    // It is not taken: the hub has answered, and reads no more.
    int taken = 0;
    while (taken < 100 && client.send(more)) ++taken;
    CHECK(taken < 100);
    CHECK(client.is_closed());
  }
  metrics();
  if (sanitized) return skip("a sanitizer keeps for a while what has been freed");
  CHECK(resident_mib(hub.pid()) < before + 8);
}

TEST_CASE("who never reads what he asks for is closed, and memory stays") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1"});
  Hub hub;
  metrics_with(up0, 1);
  const double before = resident_mib(hub.pid());
  HttpClient client;
  // More answers than any socket has room for: the hub reads on only when these have been taken.
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get_metrics;
  const auto is_writable = [&] {
    pollfd writable{client.descriptor(), POLLOUT, 0};
    return ::poll(&writable, 1, 1000) == 1;
  };
  std::size_t sent = 0;
  while (is_writable() && sent < 100 * requests.size()) {
    const ssize_t size =
        ::send(client.descriptor(), requests.data(), requests.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    REQUIRE(size > 0);
    sent += static_cast<std::size_t>(size);
  }
  CHECK(sent < 100 * requests.size());
  metrics();
  CHECK(resident_mib(hub.pid()) < before + 8);
  pollfd hung_up{client.descriptor(), 0, 0};
  CHECK(::poll(&hung_up, 1, 60'000) == 1);
  CHECK(hub.running());
}

TEST_CASE("a stream tells what is counted, for as long as somebody reads it") {
  const Topology topology;
  Agent agent(topology, {"--interval", "0.1", "--max-clients", "2"});
  const Hub hub;
  metrics_with(up0, 1);
  const std::string get_stream =
      "GET /api/stream?agent=count0.sock&by=packets HTTP/1.1\r\nHost: localhost\r\n\r\n";
  {
    // As many as there may be, at the cost of one client of the agent.
    std::list<HttpClient> readers;
    for (int i = 0; i < 64; ++i) CHECK(readers.emplace_back().send(get_stream));
    CHECK(readers.back().hears("event: fleet"));
    CHECK(contains(readers.back().heard(), "Content-Type: text/event-stream\r\n"));
    CHECK(answer_to(get_stream).status == 503);
    send_frames(topology, ipv4_frames(ten_net, 1, 7));
    for (HttpClient& reader : readers) CHECK(reader.hears("\"packets\":\"7\",\"pps\""));
    CHECK(status_of_agent().at("clients") == 2);  // the hub, and who asks here
  }
  // Those that have gone leave their places.
  const auto end = std::chrono::steady_clock::now() + HttpClient::patience;
  for (;;) {
    HttpClient reader;
    CHECK(reader.send(get_stream));
    if (reader.hears("\"packets\":\"7\",\"pps\"")) break;
    REQUIRE(std::chrono::steady_clock::now() < end);
  }
  // Whoever asks for its head alone gets that.
  HttpClient head;
  CHECK(head.send("HEAD /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  CHECK(head.next(false).status == 200);
  CHECK(head.is_closed());
}

TEST_CASE("the page's files are whole, and may run nothing but themselves") {
  const Topology topology;
  const Hub hub;
  HttpClient client;
  for (const auto& [path, type, words] :
       {std::array{"/", "text/html", "<!doctype html>"},
        std::array{"/page.js", "text/javascript", "new EventSource("},
        std::array{"/chart.js", "text/javascript", "Chart.js v3"},
        std::array{"/page.css", "text/css", "prefers-color-scheme"},
        std::array{"/icon.svg", "image/svg+xml", "</svg>"}}) {
    CAPTURE(path);
    CHECK(client.send("HEAD " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    CHECK(client.next(false).status == 200);
    CHECK(client.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const HttpAnswer answer = client.next();
    CHECK(answer.status == 200);
    CHECK(contains(answer.head, "Content-Type: " + std::string(type)));
    CHECK(contains(answer.head, "script-src 'self';"));
    CHECK(contains(answer.body, words));
  }
  CHECK(client.send("GET /page.js HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  CHECK(contains(client.next().body, "connect();"));
  CHECK(client.is_closed());
}

TEST_CASE("a token is asked for, and its file has to be a secret") {
  const Topology topology;
  const std::string path = "/run/token";
  const auto refusal_of = [&](mode_t mode, const std::string& text) {
    std::ofstream(path) << text;
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    Hub hub({"--token-file", path});
    CHECK(hub.wait() == 1);
    return hub.standard_error();
  };
  CHECK(contains(refusal_of(0644, "0123456789abcdef\n"), "everybody may read the token"));
  CHECK(contains(refusal_of(0600, "0123456789abcde\n"), "shorter than 16 characters"));
  CHECK(contains(refusal_of(0600, ""), "there is no token in /run/token"));
  std::ofstream(path) << "0123456789abcdef\n";
  const Hub hub({"--token-file", path});
  CHECK(answer_to(get_metrics).status == 401);
  CHECK(answer_to("GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                  "0123456789abcdef\r\n\r\n")
            .status == 200);
}

TEST_CASE("the client replaces a file of metrics as a whole, also when agents are not there") {
  const Topology topology;
  const std::string path = "/run/xdp-count.prom";
  const auto written_by = [&](int code, const std::vector<std::string>& arguments) {
    std::vector<std::string> command{CLIENT, "metrics", "--write", path};
    command.insert(command.end(), arguments.begin(), arguments.end());
    Process client(command);
    CHECK(client.wait() == code);
    CHECK(client.standard_output().empty());
    struct stat status {};
    CHECK(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0644);
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return samples_in(text.str());
  };
  CHECK(written_by(1, {}).empty());
  CHECK(written_by(1, {"-i", "count0"}) == Samples{{up0, 0}});
  {
    Agent agent(topology, {"--interval", "0.1"});
    LineClient(default_socket).next_of_type("snapshot");
    CHECK(written_by(0, {}).at(up0) == 1);
    const Samples both = written_by(1, {"-i", "count0", "-i", "count9"});
    CHECK(both.at(up0) == 1);
    CHECK(both.at("xdp_count_agent_up,interface=count9") == 0);
    kill(agent);
  }
  CHECK(written_by(1, {}) == Samples{{up0, 0}});
  for (const auto& entry : std::filesystem::directory_iterator("/run"))
    CHECK_FALSE(entry.path().string().starts_with(path + "."));

  Process nowhere({CLIENT, "metrics", "--write", "/no/such/file"});
  CHECK(nowhere.wait() == 1);
  CHECK(contains(nowhere.standard_error(), "/no/such/file"));
}
