// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What a flood of spoofed sources does to the agent: to 1,000 steady sources beside it, to clients
// that ask it meanwhile, and to the packets that get through; and the same of plain programs and
// readers.
#include <arpa/inet.h>
#include <bpf/bpf.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "base/address.hpp"
#include "live_traffic.hpp"
#include "measured_agent.hpp"
#include "measurement.hpp"
#include "model/settings.hpp"
#include "plain_programs.hpp"
#include "process_use.hpp"
#include "program/table_settings.hpp"

namespace xdp_count::bench {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::Arrivals;
using testing::FloodPattern;
using testing::LineClient;
using testing::LiveTraffic;
using testing::Topology;

constexpr std::uint32_t steady_sources = 1000;
constexpr std::uint64_t steady_rate = 10 * steady_sources;
// From the middle of the flood on, one in so many of its frames comes from a source of its own.
constexpr std::uint32_t newcomer_every = 100;
// These are long enough for them to be counted in two ticks, and for what comes after to be counted
// as well.
constexpr auto steady_before = 4s;
constexpr auto steady_after = 3s;
constexpr auto empty_warm_up = 300ms;
constexpr auto empty_measured = 3s;
// The limit for an agent that has fallen behind: more is not worth waiting for.
constexpr auto patience = 90s;

struct Setting {
  const char* name;   // on the command line
  const char* title;  // in the results
  FloodPattern pattern;
  std::vector<std::string> options = {};
  std::string mode = "native";
  bool plain_readers = false;
};

const std::vector<Setting>& all_settings() {
  const FloodPattern random = FloodPattern::random_of_2_to(24);
  static const std::vector<Setting> settings{
      {.name = "default",
       .title = "default options, random 2^24",
       .pattern = random,
       .plain_readers = true},
      {.name = "random-22",
       .title = "default options, random 2^22",
       .pattern = FloodPattern::random_of_2_to(22)},
      {.name = "random-32",
       .title = "default options, random 2^32",
       .pattern = FloodPattern::random_of_2_to(32)},
      {.name = "ipv6",
       .title = "default options, random in an IPv6 /32",
       .pattern = FloodPattern::random_ipv6()},
      {.name = "sequential",
       .title = "default options, all in order",
       .pattern = FloodPattern::all_in_order()},
      {.name = "twice",
       .title = "default options, twice --max-sources in order",
       .pattern = {.sources = 2 * Settings{}.max_sources}},
      {.name = "small",
       .title = "--max-sources 10000, random 2^24",
       .pattern = random,
       .options = {"--max-sources", "10000"}},
      {.name = "large",
       .title = "--max-sources 1000000, random 2^24",
       .pattern = random,
       .options = {"--max-sources", "1000000"}},
      {.name = "half-second",
       .title = "--max-sources 100000 --interval 0.5, random 2^22",
       .pattern = FloodPattern::random_of_2_to(22),
       .options = {"--max-sources", "100000", "--interval", "0.5"}},
      {.name = "events",
       .title = "--events --sample 1000, random 2^24",
       .pattern = random,
       .options = {"--events", "--sample", "1000"}},
      {.name = "generic",
       .title = "generic mode, random 2^24",
       .pattern = random,
       .mode = "generic"},
  };
  return settings;
}

struct Flood {
  FloodPattern pattern;
  std::uint64_t rate = LF_UNLIMITED;
  std::chrono::milliseconds duration{};
};

// Samples by their names, in the order of the first of each.
class Samples {
 public:
  void add(const std::string& what, const char* unit, double value) {
    auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.what == what; });
    if (found == rows_.end()) found = rows_.insert(rows_.end(), {what, unit, {}});
    found->samples.push_back(value);
  }

  // Rates as ratios to that of the empty program.
  void print(const std::string& setting) const {
    double yardstick = 0;
    for (const Row& row : rows_)
      if (row.what == "empty: packets") yardstick = summarize(row.samples).median;
    for (const Row& row : rows_) {
      Result result{.bench = "attack",
                    .setting = setting,
                    .what = row.what,
                    .unit = row.unit,
                    .samples = row.samples};
      if (row.what.ends_with(": packets") && yardstick > 0) {
        result.ratio = summarize(row.samples).median / yardstick;
        result.ratio_to = "empty";
      }
      print_result(result);
    }
    std::fflush(stdout);
  }

 private:
  struct Row {
    std::string what;
    const char* unit;
    std::vector<double> samples;
  };
  std::vector<Row> rows_;
};

double seconds_since(double start_ns) {
  return (wall_ns() - start_ns) / 1e9;
}

// A client as a user would have one: gets the default stream, on a thread of its own.
class SnapshotWatch {
 public:
  struct Line {
    double arrival_ns = 0;
    std::uint64_t seq = 0;
    std::uint64_t frames = 0;
    std::uint64_t ip = 0;
    std::uint64_t in_no_row = 0;  // evicted and untracked packets
  };

  SnapshotWatch() : thread_([this](const std::stop_token& stop) { run(stop); }) {}

  // Waits for a snapshot for which `wanted` is true, and returns it, or nothing when time is up.
  template <class Wanted>
  std::optional<Line> wait_for(const Wanted& wanted) const {
    for (const double start = wall_ns();
         seconds_since(start) < std::chrono::duration<double>(patience).count();) {
      {
        const std::lock_guard lock(mutex_);
        const auto found = std::find_if(lines_.begin(), lines_.end(), wanted);
        if (found != lines_.end()) return *found;
      }
      std::this_thread::sleep_for(10ms);
    }
    return {};
  }

  Line last() const {
    const std::lock_guard lock(mutex_);
    return lines_.empty() ? Line{} : lines_.back();
  }

  // The longest time between two that arrived, the later one after `begin`, until one with so many
  // frames did or, where none has, until now.
  double longest_gap_s(double begin_ns, std::uint64_t frames) const {
    const std::lock_guard lock(mutex_);
    double longest = 0;
    double before = begin_ns;
    for (const Line& line : lines_) {
      if (line.arrival_ns > begin_ns) longest = std::max(longest, line.arrival_ns - before);
      before = line.arrival_ns;
      if (line.frames >= frames) return longest / 1e9;
    }
    return std::max(longest, wall_ns() - before) / 1e9;
  }

  unsigned not_conserved() const {
    const std::lock_guard lock(mutex_);
    return not_conserved_;
  }

 private:
  void run(const std::stop_token& stop) {
    try {
      LineClient client(MeasuredAgent::socket_path);
      while (!stop.stop_requested()) {
        const double start = wall_ns();
        try {
          const auto snapshot = client.next();
          if (!snapshot) return;
          if (snapshot->at("type") == "snapshot") add(*snapshot);
        } catch (const std::runtime_error&) {
          // No snapshot came for as long as a client waits: that is a gap, and no reason to stop.
          if (seconds_since(start) < std::chrono::duration<double>(LineClient::patience).count())
            throw;
        }
      }
    } catch (const std::exception& error) {
      std::fprintf(stderr, "bench-attack: the stream: %s\n", error.what());
    }
  }

  void add(const json& snapshot) {
    const double now = wall_ns();
    bool conserved = true;
    for (const char* count : {"packets", "bytes"}) {
      std::uint64_t sum = 0;
      for (const auto& of_class : snapshot.at("classes"))
        sum += of_class.at(count).get<std::uint64_t>();
      conserved = conserved && sum == snapshot.at("frames").at(count).get<std::uint64_t>();
    }
    const auto packets = [&](const json& of) { return of.at("packets").get<std::uint64_t>(); };
    const std::lock_guard lock(mutex_);
    not_conserved_ += conserved ? 0 : 1;
    lines_.push_back(
        {.arrival_ns = now,
         .seq = snapshot.at("seq"),
         .frames = packets(snapshot.at("frames")),
         .ip = packets(snapshot.at("classes").at("ipv4")) +
               packets(snapshot.at("classes").at("ipv6")),
         .in_no_row = packets(snapshot.at("evicted")) + packets(snapshot.at("untracked"))});
  }

  mutable std::mutex mutex_;
  std::vector<Line> lines_;
  unsigned not_conserved_ = 0;
  std::jthread thread_;
};

// Asks one thing over and over on a connection of its own.
class Asker {
 public:
  Asker(std::string name, json request, std::chrono::milliseconds pause)
      : name_(std::move(name)),
        thread_([this, request = std::move(request), pause](const std::stop_token& stop) {
          while (!stop.stop_requested()) ask(stop, request, pause);
        }) {}

  void request_stop() { thread_.request_stop(); }

  void add_to(Samples& samples) {
    thread_.join();
    samples.add("slowest " + name_, "ms", slowest_s_ * 1000);
    samples.add(name_ + ", asked", "requests", asked_);
    samples.add(name_ + ", refused", "requests", refused_);
    samples.add(name_ + ", not answered", "requests", not_answered_);
  }

 private:
  // Asks until it is to stop, or until an answer does not come.
  void ask(const std::stop_token& stop, const json& request, std::chrono::milliseconds pause) {
    double start = wall_ns();
    try {
      LineClient client(MeasuredAgent::socket_path);
      while (!stop.stop_requested()) {
        start = wall_ns();
        ++asked_;
        json answer = client.answer_to(request);
        while (answer.value("more", false)) answer = client.next_of_type("sources");
        slowest_s_ = std::max(slowest_s_, seconds_since(start));
        if (answer.at("type") == "error") ++refused_;
        std::this_thread::sleep_for(pause);
      }
    } catch (const std::exception&) {
      slowest_s_ = std::max(slowest_s_, seconds_since(start));
      ++not_answered_;
    }
  }

  std::string name_;
  double slowest_s_ = 0;
  double asked_ = 0;
  double refused_ = 0;
  double not_answered_ = 0;
  std::jthread thread_;
};

// Packets of each marked source: the first ones are the steady ones, the last one is the newcomer.
using MarkedCounts = std::vector<std::uint64_t>;

void add_row(MarkedCounts& rows, std::uint32_t source, std::uint64_t packets) {
  if (source - LF_MARKED_FIRST < LF_MARKED_SOURCES) rows[source - LF_MARKED_FIRST] = packets;
}

std::uint64_t sum_of_steady(const MarkedCounts& counts) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < steady_sources; ++i) sum += counts[i];
  return sum;
}

void add_kept(Samples& samples, const std::string& who, const MarkedCounts& arrived,
              const MarkedCounts& established, const MarkedCounts& rows) {
  std::uint64_t kept = 0;
  std::uint64_t kept_since = 0;
  unsigned kept_all = 0;
  for (std::size_t i = 0; i < steady_sources; ++i) {
    kept += std::min(rows[i], arrived[i]);
    kept_since += std::min(rows[i], arrived[i]) - std::min(rows[i], established[i]);
    if (rows[i] == arrived[i]) ++kept_all;
    if (rows[i] > arrived[i]) throw std::runtime_error("a row has more packets than were sent");
  }
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
  };
  samples.add(who + ": kept of the steady sources", "%", share(kept, sum_of_steady(arrived)));
  samples.add(who + ": kept since they were established", "%",
              share(kept_since, sum_of_steady(arrived) - sum_of_steady(established)));
  samples.add(who + ": steady sources that kept all", "of 1000", kept_all);
  samples.add(who + ": kept of the newcomer", "%",
              share(rows[LF_HEAVY_INDEX], arrived[LF_HEAVY_INDEX]));
}

struct Phases {
  double begin_ns = 0;
  double end_ns = 0;
  std::uint64_t arrived = 0;  // frames between the two
};

// A flood with steady sources before, beside and after it. `begin` and `end` are called when the
// flood begins and ends.
template <class Begin, class End>
Phases send(LiveTraffic& traffic, const Arrivals& arrivals, const Flood& flood, const Begin& begin,
            const End& end) {
  Phases phases;
  traffic.begin_steady(steady_sources, steady_rate);
  std::this_thread::sleep_for(steady_before);
  begin();
  phases.begin_ns = wall_ns();
  const std::uint64_t before = arrivals.frames();
  traffic.begin_flood(flood.pattern, flood.rate);
  std::this_thread::sleep_for(flood.duration / 2);
  traffic.set_heavy(newcomer_every);
  std::this_thread::sleep_for(flood.duration / 2);
  phases.arrived = arrivals.frames() - before;
  phases.end_ns = wall_ns();
  traffic.end_flood();
  end();
  std::this_thread::sleep_for(steady_after);
  traffic.finish();
  return phases;
}

// Thousands a second.
void add_rate(Samples& samples, const std::string& who, const Phases& phases) {
  samples.add(who + ": packets", "thousand/s",
              static_cast<double>(phases.arrived) / ((phases.end_ns - phases.begin_ns) / 1e6));
}

void attack_empty(const Setting& setting, const Flood& flood, Samples& samples) {
  const Topology topology;
  const Arrivals arrivals(topology);
  LiveTraffic traffic(topology, arrivals);
  const PlainPrograms plain(Settings{}.max_sources);
  attach_program(topology, plain.empty_fd(), setting.mode);
  traffic.begin_steady(steady_sources, steady_rate);
  traffic.begin_flood(flood.pattern, flood.rate);
  std::this_thread::sleep_for(empty_warm_up);
  Phases phases{.begin_ns = wall_ns()};
  const std::uint64_t before = arrivals.frames();
  std::this_thread::sleep_for(empty_measured);
  phases.arrived = arrivals.frames() - before;
  phases.end_ns = wall_ns();
  traffic.finish();
  add_rate(samples, "empty", phases);
}

// The marked sources' rows of a complete list; checks that all of its rows, and what is in none,
// add up. Nothing when the agent does not answer.
std::optional<MarkedCounts> listed(const SnapshotWatch& watch, Samples& samples) {
  MarkedCounts rows(LF_MARKED_SOURCES);
  std::uint64_t sum = 0;
  LineClient client(MeasuredAgent::socket_path);
  json line = client.answer_to({{"cmd", "list"}});
  for (;; line = client.next_of_type("sources")) {
    if (line.at("type") == "error") return {};
    for (const auto& row : line.at("sources")) {
      const std::uint64_t packets = row.at("packets");
      const Address source = parse_address(row.at("src").get<std::string>()).value();
      sum += packets;
      if (source.family == Family::ipv4) add_row(rows, source.ipv4(), packets);
    }
    if (line.at("more") == false) break;
  }
  const std::uint64_t seq = line.at("seq");
  const auto snapshot = watch.wait_for([&](const auto& other) { return other.seq == seq; });
  const bool conserved = snapshot && sum + snapshot->in_no_row == snapshot->ip;
  samples.add("lists that do not add up", "lists", conserved ? 0 : 1);
  return rows;
}

void attack_agent(const Setting& setting, const Flood& flood, Samples& samples) {
  const Topology topology;
  const Arrivals arrivals(topology);
  LiveTraffic traffic(topology, arrivals);
  MeasuredAgent agent(topology, setting.options, setting.mode);
  const SnapshotWatch watch;
  json some = json::array();
  for (std::uint32_t i = 0; i < 10; ++i) some.push_back(address_text(LF_MARKED_FIRST + i * 100));
  std::vector<std::unique_ptr<Asker>> askers;
  std::uint64_t counted_before = 0;
  double cpu_ns = 0;
  const Phases phases = send(
      traffic, arrivals, flood,
      [&] {
        counted_before = watch.last().frames;
        askers.push_back(std::make_unique<Asker>("status", json{{"cmd", "status"}}, 50ms));
        askers.push_back(
            std::make_unique<Asker>("get", json{{"cmd", "get"}, {"address", some}}, 50ms));
        askers.push_back(std::make_unique<Asker>("top", json{{"cmd", "top"}, {"n", 100}}, 50ms));
        askers.push_back(
            std::make_unique<Asker>("list", json{{"cmd", "list"}, {"limit", 1000}}, 500ms));
        cpu_ns = process_cpu_ns(agent.pid());
      },
      [&] {
        cpu_ns = process_cpu_ns(agent.pid()) - cpu_ns;
        for (const auto& asker : askers) asker->request_stop();
      });
  const double finished_ns = wall_ns();
  for (const auto& asker : askers) asker->add_to(samples);

  const std::uint64_t arrived = arrivals.frames();
  const auto whole = watch.wait_for([&](const auto& line) { return line.frames >= arrived; });
  samples.add("longest gap between snapshots", "s", watch.longest_gap_s(phases.begin_ns, arrived));
  samples.add("until all was counted", "s", seconds_since(finished_ns));
  add_rate(samples, "xdp-count", phases);
  samples.add("CPU of the agent", "s/s", cpu_ns / (phases.end_ns - phases.begin_ns));
  samples.add("lines that do not add up", "lines", watch.not_conserved());
  samples.add("dropped before the program", "%",
              100 * (1 - static_cast<double>(arrived) / static_cast<double>(traffic.sent())));
  if (!whole || whole->frames != arrived)
    throw std::runtime_error(fmt::format("the agent counted {} frames of {}",
                                         whole ? whole->frames : watch.last().frames, arrived));
  const json status = agent.status();
  samples.add("ticks missed", "ticks", status.at("ticks_missed").get<double>());
  if (status.contains("established"))
    samples.add("established", "sources", status.at("established").get<double>());
  const auto rows = listed(watch, samples);
  if (!rows) throw std::runtime_error("the agent refuses to list its sources");
  add_kept(samples, "xdp-count", arrivals.of_marked(), arrivals.of_marked(counted_before), *rows);
  agent.stop();
}

// What one would write: reads all of a map each second, in batches.
class PlainReader {
 public:
  PlainReader(int map_fd, bool per_cpu)
      : map_fd_(map_fd),
        copies_(per_cpu ? possible_cpus() : 1),
        keys_(batch),
        values_(batch * copies_),
        thread_([this](const std::stop_token& stop) {
          for (auto next = std::chrono::steady_clock::now(); !stop.stop_requested();) {
            const double start = wall_ns();
            read();
            longest_s_ = std::max(longest_s_, seconds_since(start));
            next = std::max(next + 1s, std::chrono::steady_clock::now());
            std::this_thread::sleep_until(next);
          }
        }) {}

  // What the marked sources' rows have in the end.
  MarkedCounts stop() {
    thread_.request_stop();
    thread_.join();
    rows_.assign(LF_MARKED_SOURCES, 0);
    read();
    return rows_;
  }

  double longest_s() const { return longest_s_; }

 private:
  static constexpr std::size_t batch = 65'536;

  void read() {
    std::uint64_t token = 0;
    for (bool first = true;; first = false) {
      __u32 count = batch;
      const int error = bpf_map_lookup_batch(map_fd_, first ? nullptr : &token, &token,
                                             keys_.data(), values_.data(), &count, nullptr);
      if (error != 0 && error != -ENOENT) throw_system_error(-error, "reading a map");
      for (std::size_t i = 0; i < count; ++i) {
        std::uint64_t packets = 0;
        for (std::size_t copy = 0; copy < copies_; ++copy)
          packets += values_[i * copies_ + copy].packets;
        const std::uint32_t source = ntohl(keys_[i]);
        packets_ += packets;
        add_row(rows_, source, packets);
      }
      if (error != 0) return;
    }
  }

  int map_fd_;
  std::size_t copies_;
  std::vector<__be32> keys_;
  std::vector<xc_counts> values_;
  std::uint64_t packets_ = 0;
  MarkedCounts rows_ = MarkedCounts(LF_MARKED_SOURCES);
  double longest_s_ = 0;
  std::jthread thread_;
};

void attack_plain_reader(const Setting& setting, const Flood& flood, bool lru, Samples& samples) {
  const Topology topology;
  const Arrivals arrivals(topology);
  LiveTraffic traffic(topology, arrivals);
  const PlainPrograms plain(Settings{}.max_sources);
  attach_program(topology, lru ? plain.lru_hash_fd() : plain.percpu_hash_fd(), setting.mode);
  PlainReader reader(lru ? plain.lru_hash_map_fd() : plain.percpu_hash_map_fd(), !lru);
  std::uint64_t arrived_before = 0;
  const Phases phases = send(
      traffic, arrivals, flood, [&] { arrived_before = arrivals.frames(); }, [] {});
  const MarkedCounts rows = reader.stop();
  const std::string who = lru ? "LRU_HASH" : "PERCPU_HASH";
  add_rate(samples, who, phases);
  samples.add(who + ": longest read", "s", reader.longest_s());
  add_kept(samples, who, arrivals.of_marked(), arrivals.of_marked(arrived_before), rows);
}

// All that is compared, once.
void run_round(const Setting& setting, const Flood& flood, Samples& samples) {
  attack_empty(setting, flood, samples);
  attack_agent(setting, flood, samples);
  if (!setting.plain_readers) return;
  attack_plain_reader(setting, flood, false, samples);
  attack_plain_reader(setting, flood, true, samples);
}

struct Arguments {
  std::vector<std::string> settings;
  unsigned seconds = 12;
  unsigned rounds = 3;
  std::uint64_t pace = 0;
};

void run(const Arguments& arguments) {
  testing::isolate_this_process();
  std::string failures;
  for (const Setting& setting : all_settings()) {
    const auto& chosen = arguments.settings;
    if (!chosen.empty() && std::find(chosen.begin(), chosen.end(), setting.name) == chosen.end())
      continue;
    const Flood flood{.pattern = setting.pattern,
                      .rate = arguments.pace != 0 ? arguments.pace : LF_UNLIMITED,
                      .duration = std::chrono::seconds(arguments.seconds)};
    Samples samples;
    try {
      for (unsigned round = 0; round < arguments.rounds; ++round)
        run_round(setting, flood, samples);
    } catch (const std::exception& error) {
      // What was measured until then, and the other settings, are still worth something.
      failures += fmt::format("{}: {}; ", setting.name, error.what());
    }
    samples.print(setting.title);
  }
  if (!failures.empty()) throw std::runtime_error(failures);
}

}  // namespace
}  // namespace xdp_count::bench

int main(int argc, char** argv) {
  using namespace xdp_count::bench;
  std::vector<std::string> names;
  for (const Setting& setting : all_settings()) names.push_back(setting.name);
  Arguments arguments;
  CLI::App app{"Measures the agent in a flood of spoofed sources.", "bench-attack"};
  app.add_option("SETTING", arguments.settings, "Which to measure; else all")
      ->check(CLI::IsMember(names));
  app.add_option("--seconds", arguments.seconds, "How long each flood lasts")
      ->check(CLI::Range(1u, 60u))
      ->capture_default_str();
  app.add_option("--rounds", arguments.rounds, "How often each setting is measured")
      ->check(CLI::Range(1u, 100u))
      ->capture_default_str();
  app.add_option("--pace", arguments.pace, "Frames of the flood a second; else as many as can be");
  CLI11_PARSE(app, argc, argv);
  return run_as_root("bench-attack", [&] { run(arguments); });
}
