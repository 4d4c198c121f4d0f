// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// A list of 1,000,000 sources: from the request to the last byte at a client that reads as fast as
// it can, beside building and dumping an nlohmann_json document of as many; and how much later than
// usual the ticks are meanwhile, and how much memory it takes; and a list of the few of them that
// were counted after a tick.
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <chrono>
#include <map>
#include <stdexcept>
#include <thread>

#include "live_frames.hpp"
#include "measured_agent.hpp"
#include "measurement.hpp"
#include "process_use.hpp"
#include "row_document.hpp"

namespace xdp_count::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t sources = 1'000'000;
constexpr std::uint32_t frames_at_once = 65'536;
constexpr int rounds = 7;

MeasuredAgent start_agent(const testing::Topology& topology, const std::string& interval) {
  return MeasuredAgent(topology, {"--max-sources", std::to_string(sources), "--hot-slots",
                                  "1048576", "--interval", interval});
}

void send_all(testing::LiveFrames& source) {
  for (std::uint32_t sent = 0; sent < sources; sent += frames_at_once) source.send(frames_at_once);
}

// Sends until all are tracked; they come one after the other, so a few rounds reach each of them.
void fill(const MeasuredAgent& agent, testing::LiveFrames& source) {
  const auto deadline = std::chrono::steady_clock::now() + 60s;
  while (agent.status().at("tracked") != sources) {
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("the agent does not track as many sources as were sent");
    send_all(source);
  }
}

// Reads the answer to one `list` and looks at its end alone.
class ListReader {
 public:
  ListReader() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::string(MeasuredAgent::socket_path).copy(address.sun_path, sizeof address.sun_path - 1);
    if (!socket_ ||
        ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw_errno("connecting to the agent");
    ask(R"({"cmd":"unsubscribe"})");
    read_until("{\"type\":\"ok\"}\n");
  }

  // The number of bytes.
  std::size_t list(const std::string& request = R"({"cmd":"list"})") {
    ask(request);
    return read_until("\"more\":false}\n");
  }

 private:
  void ask(const std::string& request) {
    const std::string line = request + "\n";
    if (::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) throw_errno("asking");
  }

  std::size_t read_until(std::string_view end) {
    std::size_t bytes = 0;
    std::string tail;
    while (!tail.ends_with(end)) {
      const ssize_t size = ::recv(socket_.get(), buffer_.data(), buffer_.size(), 0);
      if (size <= 0) throw std::runtime_error("the agent closed the connection");
      const std::string_view got(buffer_.data(), static_cast<std::size_t>(size));
      if (bytes == 0 && got.starts_with("{\"type\":\"error\""))
        throw std::runtime_error(std::string(got));
      bytes += got.size();
      tail += got.substr(got.size() - std::min(got.size(), end.size()));
      if (tail.size() > end.size()) tail.erase(0, tail.size() - end.size());
    }
    return bytes;
  }

  UniqueFd socket_;
  std::vector<char> buffer_ = std::vector<char>(1 << 18);
};

// Measures right after a tick in which every source was active.
void measure_cost(const testing::Topology& topology, testing::LiveFrames& source) {
  MeasuredAgent agent = start_agent(topology, "3");
  fill(agent, source);
  const std::vector<SourceRow> rows = make_rows(sources);
  testing::LineClient client(MeasuredAgent::socket_path);
  ListReader reader;
  std::map<std::string, std::vector<double>> samples;
  for (int round = 0; round < rounds; ++round) {
    client.next_of_type("snapshot");
    send_all(source);
    client.next_of_type("snapshot");
    double cpu = process_cpu_ns(agent.pid());
    double start = wall_ns();
    if (reader.list() < std::size_t{sources} * 100) throw std::runtime_error("the list is short");
    samples["ours, to the last byte read"].push_back((wall_ns() - start) / 1e6);
    samples["ours, CPU of the agent"].push_back((process_cpu_ns(agent.pid()) - cpu) / 1e6);
    start = thread_cpu_ns();
    if (encode_document(rows) == 0) throw std::runtime_error("nothing was encoded");
    samples["nlohmann_json"].push_back((thread_cpu_ns() - start) / 1e6);
  }
  const double yardstick = summarize(samples.at("nlohmann_json")).median;
  for (const auto& [what, values] : samples)
    print_result({.bench = "list_cost",
                  .setting = std::to_string(sources) + " rows",
                  .what = what,
                  .unit = "ms",
                  .samples = values,
                  .ratio = summarize(values).median / yardstick,
                  .ratio_to = "nlohmann_json build and dump"});
  agent.stop();
}

// Right after ticks in which few of those tracked were active, beside a list that looks at all and
// finds none.
void measure_active(const testing::Topology& topology, testing::LiveFrames& source) {
  constexpr std::uint32_t active = 1000;
  MeasuredAgent agent = start_agent(topology, "3");
  fill(agent, source);
  source.set_sources(active);
  testing::LineClient client(MeasuredAgent::socket_path);
  client.next_of_type("snapshot");
  ListReader reader;
  std::map<std::string, std::vector<double>> samples;
  const auto measure = [&](const std::string& what, const std::string& field, std::uint64_t value) {
    const double start = wall_ns();
    const std::size_t size = reader.list(fmt::format(R"({{"cmd":"list","{}":{}}})", field, value));
    samples[what].push_back((wall_ns() - start) / 1e6);
    return size;
  };
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t before = client.next_of_type("snapshot").at("seq");
    source.send(active);
    const std::uint64_t after = client.next_of_type("snapshot").at("seq");
    const std::size_t listed =
        measure("active_since, to the last byte read", "active_since", before);
    const std::size_t none = measure("active_since, none active since", "active_since", after);
    measure("all looked at, none listed", "min_packets", ~std::uint64_t{0});
    if (listed < active * 100 || none > active)
      throw std::runtime_error("the list is not of those that were active");
  }
  for (const auto& [what, values] : samples)
    print_result({.bench = "list_cost",
                  .setting = fmt::format("{} rows, {} active", sources, active),
                  .what = what,
                  .unit = "ms",
                  .samples = values});
  agent.stop();
  source.set_sources(sources);
}

// Snapshots of one client: how late each arrives, against a schedule that has its origin in the
// first one, and how late its cut was made.
struct Lateness {
  std::vector<double> arrivals;  // ms
  std::vector<double> cuts;      // ms
};

class TickWatch {
 public:
  explicit TickWatch(double interval_ms) : interval_ms_(interval_ms) {}

  // The ticks that pass until `end` says so after one of them.
  template <class End>
  Lateness watch(const End& end) {
    Lateness late;
    do {
      const auto snapshot = client_.next_of_type("snapshot");
      const double arrival = wall_ns() / 1e6;
      const auto seq = snapshot.at("seq").get<double>();
      const auto cut =
          static_cast<double>(parse_rfc3339(snapshot.at("time").get<std::string>()).value());
      if (seq_ != 0 && (seq != seq_ + 1 || snapshot.at("skipped") != 0))
        throw std::runtime_error("a tick was missed");
      if (seq_ == 0) {
        first_seq_ = seq;
        first_arrival_ = arrival;
        first_cut_ = cut;
      }
      seq_ = seq;
      const double due = (seq - first_seq_) * interval_ms_;
      late.arrivals.push_back(arrival - first_arrival_ - due);
      late.cuts.push_back(cut - first_cut_ - due);
    } while (!end(late.arrivals.size()));
    return late;
  }

 private:
  testing::LineClient client_{MeasuredAgent::socket_path};
  double interval_ms_;
  double seq_ = 0;
  double first_seq_ = 0;
  double first_arrival_ = 0;
  double first_cut_ = 0;
};

// Measures with an interval so short that every list meets ticks, many of them while it is being
// selected.
void measure_lateness(const testing::Topology& topology, testing::LiveFrames& source) {
  constexpr std::size_t usual_ticks = 30;
  MeasuredAgent agent = start_agent(topology, "0.2");
  fill(agent, source);
  TickWatch ticks(200);
  ticks.watch([](std::size_t count) { return count == 10; });  // what was sent is folded
  const Lateness usual = ticks.watch([](std::size_t count) { return count == usual_ticks; });
  const double resident = process_mib(agent.pid(), "RssAnon");
  const std::string setting = fmt::format("{} rows, a tick every 0.2 s", sources);
  const auto print = [&](const std::string& what, std::vector<double> values,
                         const std::vector<double>& usual_values) {
    const double median = summarize(usual_values).median;
    for (double& value : values) value -= median;
    print_result({.bench = "list_cost",
                  .setting = setting,
                  .what = what,
                  .unit = "ms late",
                  .samples = values});
  };
  print("cuts, no list", usual.cuts, usual.cuts);
  print("snapshots, no list", usual.arrivals, usual.arrivals);
  for (const int readers : {1, 2}) {
    std::atomic<int> lists = 0;
    std::vector<double> memory;
    std::vector<std::jthread> threads;
    for (int i = 0; i < readers; ++i)
      threads.emplace_back([&](const std::stop_token& stop) {
        for (ListReader reader; !stop.stop_requested(); ++lists) reader.list();
      });
    const Lateness late = ticks.watch([&](std::size_t) {
      memory.push_back(process_mib(agent.pid(), "RssAnon") - resident);
      return lists >= 4 * rounds;
    });
    for (std::jthread& thread : threads) thread.request_stop();
    const std::string with = fmt::format(", {} at a time", readers);
    print("cuts" + with, late.cuts, usual.cuts);
    print("snapshots" + with, late.arrivals, usual.arrivals);
    print_result({.bench = "list_cost",
                  .setting = setting,
                  .what = "memory" + with,
                  .unit = "MiB",
                  .samples = memory});
  }
  agent.stop();
}

}  // namespace
}  // namespace xdp_count::bench

int main() {
  using namespace xdp_count;
  return xdp_count::bench::run_as_root("bench-list-cost", [] {
    testing::isolate_this_process();
    const testing::Topology topology;
    testing::LiveFrames source(topology);
    source.set_sources(bench::sources);
    bench::measure_cost(topology, source);
    bench::measure_active(topology, source);
    bench::measure_lateness(topology, source);
  });
}
