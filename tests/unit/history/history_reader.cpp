// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "history/history_reader.hpp"

#include <SQLiteCpp/Database.h>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

#include "history/highest_rows.hpp"
#include "history/history_file.hpp"
#include "history/history_schema.hpp"
#include "history/recorded_history.hpp"

namespace xdp_count {
namespace {

constexpr std::int64_t a_minute = 60'000;
constexpr std::int64_t an_hour = 60 * a_minute;
constexpr std::int64_t a_day = 24 * an_hour;
constexpr std::int64_t first_day = 1'700'000'000'000 / a_day * a_day;
constexpr TimeRange ever{0, first_day + 10'000 * a_day};

using testing::HistoryDirectory;

// What a bucket is to have.
struct ModelBucket {
  std::string agent;
  TimeRange time;
  std::int64_t gap = 0;
  std::array<Counts, frame_classes> classes{};
  std::map<RowEnds, Counts> rows;

  bool overlaps(const TimeRange& range) const {
    if (time.from == time.to) return range.from <= time.from && time.from < range.to;
    return time.from < range.to && time.to > range.from;
  }
};

// An agent, and what is recorded of it.
class ModelAgent {
 public:
  ModelAgent(std::string agent, std::int64_t since, std::vector<ModelBucket>& model)
      : agent_(std::move(agent)), model_(model) {
    head.interface = agent_;
    head.since = head.time = since;
    head.capacity = 10'000;
    now_.time = {since, since};
  }

  void count(const RowEnds& ends, const Counts& counts) {
    head.classes[static_cast<std::size_t>(class_of(ends.address.network.family))].counts += counts;
    SourceRow& row = rows_[ends];
    row.address = ends.address;
    row.peer = ends.peer;
    if (row.first_time == 0) row.first_time = head.since + static_cast<std::int64_t>(rows_.size());
    row.total += counts;
    now_.rows[ends] += counts;
  }
  void count(const Prefix& row, std::uint64_t packets) { count(RowEnds{row}, packets); }
  void count(const RowEnds& ends, std::uint64_t packets) { count(ends, {packets, packets * 100}); }

  // Packets that no row has.
  void count_untracked(Family family, const Counts& counts) {
    head.classes[static_cast<std::size_t>(class_of(family))].counts += counts;
    head.untracked.of(family) += counts;
  }

  void tick(std::int64_t length) {
    ++head.seq;
    head.time += length;
  }

  void record(HistoryFile& file) {
    std::vector<SourceRow> active;
    for (const auto& [ends, counts] : now_.rows) active.push_back(rows_.at(ends));
    file.add(agent_, head, active);
    ModelBucket bucket = std::exchange(now_, {});
    const std::int64_t begin = last_.time == 0 ? head.since : last_.time;
    bucket.agent = agent_;
    bucket.time = {std::min(begin, head.time), std::max(begin, head.time)};
    const std::int64_t length = bucket.time.to - bucket.time.from;
    if (length >= 2 * a_minute) bucket.gap = length - a_minute;
    for (std::size_t i = 0; i < frame_classes; ++i)
      bucket.classes[i] = head.classes[i].counts - last_.classes[i].counts;
    model_.push_back(std::move(bucket));
    last_ = head;
  }

  void minute(HistoryFile& file) {
    tick(a_minute);
    record(file);
  }

  SnapshotHead head;

 private:
  std::string agent_;
  std::vector<ModelBucket>& model_;
  std::map<RowEnds, SourceRow> rows_;
  ModelBucket now_;
  SnapshotHead last_;
};

RowEnds ends_of_text(const HistoryRow& row) {
  RowEnds ends{parse_typed_prefix(row.address).value()};
  if (!row.peer.empty()) ends.peer = parse_typed_prefix(row.peer).value();
  return ends;
}

// Rows and rest of each family are all of its class.
void check_balance(const HistoryTop& answer) {
  PerFamily<Counts> sum = answer.left_out.counts;
  sum += answer.unselected.counts;
  sum += answer.head.totals.rest;
  for (const HistoryRow& row : answer.rows)
    sum.of(ends_of_text(row).address.network.family) += row.counts;
  for (const Family family : both_families)
    CHECK(sum.of(family) == answer.head.totals.of(class_of(family)));
}

std::string reader_error(const std::string& path) {
  try {
    HistoryReader reader(path);
    reader.gaps({ever});
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

template <class Ask>
std::string answer_error(Ask ask) {
  try {
    ask();
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string lines_text(const HistoryLines& answer) {
  std::string text;
  for (const HistoryLine& line : answer.lines)
    text += fmt::format("{}+{}: {}{}\n", (line.time.from - first_day) / a_minute,
                        (line.time.to - line.time.from) / a_minute, line.at_least ? ">=" : "",
                        line.row.packets);
  return text;
}

class ModelNumbers {
 public:
  std::uint32_t up_to(std::uint32_t most) {
    return std::uniform_int_distribution<std::uint32_t>(0, most)(random_);
  }

 private:
  std::mt19937 random_{27};
};

// What an answer is to have, of the buckets that overlap the range.
HistoryTop model_top(const std::vector<ModelBucket>& model, const HistoryRange& range,
                     const HistorySelection& selection) {
  HistoryTop top;
  std::map<std::pair<std::string, RowEnds>, Counts> sums;
  for (const ModelBucket& bucket : model) {
    if (!range.agent.empty() && range.agent != bucket.agent) continue;
    if (!bucket.overlaps(range.time)) continue;
    for (std::size_t i = 0; i < frame_classes; ++i) top.head.totals.classes[i] += bucket.classes[i];
    for (const auto& [ends, counts] : bucket.rows) sums[{bucket.agent, ends}] += counts;
  }
  std::map<std::pair<std::string, RowEnds>, std::pair<Counts, std::uint64_t>> groups;
  for (const auto& [key, counts] : sums) {
    auto [agent, ends] = key;
    const Family family = ends.address.network.family;
    if (!is_selected(ends, selection.prefix, selection.family)) {
      ++top.unselected.rows;
      top.unselected.counts.of(family) += counts;
      continue;
    }
    if (selection.group && selection.group->of(family)) {
      ends.address = network_of(ends.address.network, *selection.group->of(family));
      if (ends.peer) ends.peer = network_of(ends.peer->network, *selection.group->of(family));
    }
    auto& [sum, rows] = groups[{agent, ends}];
    sum += counts;
    ++rows;
  }
  for (const auto& [key, sum] : groups)
    top.rows.push_back({.agent = key.first,
                        .address = typed_prefix_text(key.second.address),
                        .peer = key.second.peer ? typed_prefix_text(*key.second.peer) : "",
                        .counts = sum.first,
                        .rows = sum.second});
  std::ranges::sort(top.rows, [&](const HistoryRow& a, const HistoryRow& b) {
    const auto key = [&](const HistoryRow& row) {
      const auto [packets, bytes] = std::pair(row.counts.packets, row.counts.bytes);
      return selection.by_bytes ? std::pair(bytes, packets) : std::pair(packets, bytes);
    };
    if (key(a) != key(b)) return key(a) > key(b);
    return std::tie(a.agent, a.address, a.peer) < std::tie(b.agent, b.address, b.peer);
  });
  while (top.rows.size() > selection.top) {
    const HistoryRow& row = top.rows.back();
    top.left_out.rows += row.rows;
    top.left_out.counts.of(ends_of_text(row).address.network.family) += row.counts;
    top.rows.pop_back();
  }
  return top;
}

// Records what is random for some hours or days, of several agents, which begin anew now and then.
void record_random(HistoryFile& file, std::vector<ModelBucket>& model, ModelNumbers& numbers,
                   int steps, bool pairs) {
  std::vector<std::unique_ptr<ModelAgent>> agents;
  for (const char* name : {"eth0", "eth1"})
    agents.push_back(
        std::make_unique<ModelAgent>(name, first_day + 20 * an_hour + numbers.up_to(5000), model));
  const auto address = [&]() -> Address {
    if (numbers.up_to(3) == 0)
      return Address(0x20010db800000000 + numbers.up_to(3), numbers.up_to(9));
    return Address(0x0a000000 + 256 * numbers.up_to(3) + numbers.up_to(20));
  };
  for (int step = 0; step < steps; ++step) {
    for (auto& agent : agents) {
      for (std::uint32_t n = numbers.up_to(8); n > 0; --n) {
        RowEnds ends{address()};
        if (pairs && agent == agents[1]) {
          do ends.peer = address();
          while (ends.peer->network.family != ends.address.network.family);
        }
        agent->count(ends, {1 + numbers.up_to(9), 60 + numbers.up_to(5000)});
      }
      if (numbers.up_to(40) == 0) agent->count_untracked(Family::ipv4, {3, 300});
      agent->head.classes[2].counts += {1, 60};
      const bool odd = numbers.up_to(30) == 0;
      agent->tick(odd ? static_cast<std::int64_t>(numbers.up_to(6'000'000)) - 3'000'000
                      : 40'000 + numbers.up_to(40'000));
      if (numbers.up_to(9) > 0) agent->record(file);
      if (numbers.up_to(300) == 0)
        agent = std::make_unique<ModelAgent>(agent->head.interface,
                                             agent->head.time + numbers.up_to(600'000), model);
    }
  }
}

HistoryRange random_range(const std::vector<ModelBucket>& model, ModelNumbers& numbers) {
  std::int64_t first = model.front().time.from, last = first;
  for (const ModelBucket& bucket : model) {
    first = std::min(first, bucket.time.from);
    last = std::max(last, bucket.time.to);
  }
  const auto time = [&] {
    // Often just where something begins or ends.
    if (numbers.up_to(2) == 0) {
      const auto& bucket = model[numbers.up_to(static_cast<std::uint32_t>(model.size() - 1))];
      return numbers.up_to(1) == 0 ? bucket.time.from : bucket.time.to;
    }
    const std::int64_t any = first + static_cast<std::int64_t>(numbers.up_to(1'000'000)) *
                                         ((last - first) / 1'000'000 + 1);
    return numbers.up_to(2) == 0 ? any / an_hour * an_hour : any;
  };
  HistoryRange range{.time = {time(), time()}};
  if (range.time.from > range.time.to) std::swap(range.time.from, range.time.to);
  if (range.time.from == range.time.to) ++range.time.to;
  constexpr std::array agents{"", "eth0", "eth1"};
  range.agent = agents[numbers.up_to(2)];
  return range;
}

HistorySelection random_selection(ModelNumbers& numbers) {
  HistorySelection selection{.top = numbers.up_to(30), .by_bytes = numbers.up_to(1) == 0};
  switch (numbers.up_to(5)) {
    case 0:
      selection.prefix = network_of(Address(0x0a000000 + 256 * numbers.up_to(3)), 24);
      break;
    case 1:
      selection.prefix = Prefix(Address(0x20010db800000000, numbers.up_to(9)));
      break;
    case 2:
      selection.family = both_families[numbers.up_to(1)];
      break;
    default:
      break;
  }
  if (numbers.up_to(2) == 0) {
    selection.group.emplace();
    if (numbers.up_to(1) == 0) selection.group->of(Family::ipv4) = 20 + numbers.up_to(12);
    selection.group->of(Family::ipv6) = 32 + numbers.up_to(96);
  }
  return selection;
}

}  // namespace

TEST_CASE("a history answers as one that has all in memory, whatever range is asked for") {
  ModelNumbers numbers;
  for (int round = 0; round < 5; ++round) {
    CAPTURE(round);
    const HistoryDirectory directory;
    HistoryFile file(directory.file(), {});
    std::vector<ModelBucket> model;
    record_random(file, model, numbers, round < 4 ? 200 : 1800, round % 2 == 1);
    HistoryReader reader(directory.file());
    for (int question = 0; question < 40; ++question) {
      const HistoryRange range = random_range(model, numbers);
      const HistorySelection selection = random_selection(numbers);
      CAPTURE(question);
      const HistoryTop answer = reader.top(range, selection);
      const HistoryTop expected = model_top(model, range, selection);
      CHECK(answer.rows == expected.rows);
      CHECK(answer.head.totals.classes == expected.head.totals.classes);
      CHECK(answer.left_out.rows == expected.left_out.rows);
      CHECK(answer.left_out.counts == expected.left_out.counts);
      CHECK(answer.unselected.rows == expected.unselected.rows);
      CHECK(answer.unselected.counts == expected.unselected.counts);
      check_balance(answer);
      CHECK(answer.head.asked == range.time);

      std::map<std::string, TimeRange> covered;
      std::vector<std::tuple<std::string, TimeRange, std::int64_t>> gaps;
      for (const ModelBucket& bucket : model) {
        if (!range.agent.empty() && range.agent != bucket.agent) continue;
        if (!bucket.overlaps(range.time)) continue;
        covered.try_emplace(bucket.agent, bucket.time).first->second.widen(bucket.time);
        if (bucket.gap > 0) gaps.emplace_back(bucket.agent, bucket.time, bucket.gap);
      }
      std::map<std::string, TimeRange> answered;
      for (const auto& [agent, time] : answer.head.covered) answered[agent] = time;
      // Within what was asked for, an hour in which a clock was set may hide where it had been.
      for (auto* times : {&answered, &covered})
        for (auto& [agent, time] : *times) time.widen(range.time);
      CHECK(answered == covered);
      std::vector<std::tuple<std::string, TimeRange, std::int64_t>> found;
      for (const HistoryGap& gap : answer.head.gaps)
        if (gap.counted) found.emplace_back(gap.agent, gap.time, gap.length);
      const auto before = [](const auto& a, const auto& b) {
        return std::tuple(std::get<0>(a), std::get<1>(a).from, std::get<1>(a).to) <
               std::tuple(std::get<0>(b), std::get<1>(b).from, std::get<1>(b).to);
      };
      std::ranges::sort(gaps, before);
      std::ranges::sort(found, before);
      CHECK(found == gaps);
    }
  }
}

TEST_CASE("lines have all that was counted, each at its time, however long they are") {
  ModelNumbers numbers;
  for (int round = 0; round < 3; ++round) {
    const HistoryDirectory directory;
    HistoryFile file(directory.file(), {});
    std::vector<ModelBucket> model;
    record_random(file, model, numbers, round < 2 ? 200 : 1800, round % 2 == 1);
    HistoryReader reader(directory.file());
    for (int question = 0; question < 40; ++question) {
      const HistoryRange range = random_range(model, numbers);
      constexpr std::array steps{HistoryStep::automatic, HistoryStep::recorded,
                                 HistoryStep::ten_minutes, HistoryStep::hour, HistoryStep::day};
      const HistoryStep step = steps[numbers.up_to(4)];
      const Prefix source = Address(0x0a000000 + 256 * numbers.up_to(3) + numbers.up_to(20));
      const HistoryLines answer = reader.row(range, step, source);
      CHECK(answer.step != HistoryStep::automatic);
      if (step == HistoryStep::automatic && answer.step != HistoryStep::day)
        CHECK(answer.lines.size() <= 400);
      HistoryTotals sum;
      Counts of_row;
      for (const HistoryLine& line : answer.lines) {
        sum += line.totals;
        of_row += line.row;
        CHECK(line.at_least == (line.totals.rest.of(Family::ipv4) != Counts{}));
      }
      CHECK(sum == answer.head.totals);
      const HistoryTop expected = model_top(model, range, {.top = 100'000, .prefix = source});
      CHECK(sum.classes == expected.head.totals.classes);
      Counts of_model;
      for (const HistoryRow& row : expected.rows) of_model += row.counts;
      CHECK(of_row == of_model);
      if (answer.step == HistoryStep::recorded) {
        std::size_t buckets = 0;
        for (const ModelBucket& bucket : model)
          if ((range.agent.empty() || range.agent == bucket.agent) && bucket.overlaps(range.time))
            ++buckets;
        CHECK(answer.lines.size() == buckets);
      }
      CHECK(reader.totals(range, step).head.totals == sum);
    }
  }
}

TEST_CASE("rows and rest are all there is, also where rows and parts were removed") {
  ModelNumbers numbers;
  for (int round = 0; round < 4; ++round) {
    CAPTURE(round);
    const HistoryDirectory directory;
    const HistoryFile::Limits limits{.bytes = round % 2 == 0 ? 200'000u : 1u << 30,
                                     .rows = 3 + numbers.up_to(20)};
    HistoryFile file(directory.file(), limits);
    std::vector<ModelBucket> model;
    record_random(file, model, numbers, 500, round % 3 == 1);
    HistoryReader reader(directory.file());
    for (int question = 0; question < 40; ++question) {
      CAPTURE(question);
      const HistoryRange range = random_range(model, numbers);
      const HistorySelection selection = random_selection(numbers);
      const HistoryTop answer = reader.top(range, selection);
      check_balance(answer);
      CHECK(answer.rows.size() <= selection.top);
      // No row has more than what came in all of the time that the answer is of.
      HistoryRange wide = range;
      for (const auto& covered : answer.head.covered) wide.time.widen(covered.time);
      wide.time.from -= a_day, wide.time.to += a_day;
      HistorySelection all = selection;
      all.top = 100'000;
      std::map<std::tuple<std::string, std::string, std::string>, Counts> most;
      for (const HistoryRow& row : model_top(model, wide, all).rows)
        most[{row.agent, row.address, row.peer}] = row.counts;
      for (const HistoryRow& row : answer.rows)
        CHECK(row.counts.packets <= most[{row.agent, row.address, row.peer}].packets);
      const HistoryLines lines = reader.totals(range, HistoryStep::hour);
      CHECK(lines.head.totals.classes == answer.head.totals.classes);
    }
  }
}

TEST_CASE("a moment is answered by the finest bucket that has it") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  ModelAgent agent("eth0", first_day, model);
  for (std::uint32_t minute = 0; minute < 130; ++minute) {
    agent.count(Prefix(1), minute + 1);
    agent.minute(file);
  }
  HistoryReader reader(directory.file());
  const auto at = [&](std::int64_t time) {
    const HistoryTop answer = reader.top({{time, time + 1}}, {});
    REQUIRE(answer.head.covered.size() == 1);
    CHECK(answer.head.covered[0].time.to - answer.head.covered[0].time.from == a_minute);
    return answer.rows.at(0).counts.packets;
  };
  CHECK(at(first_day) == 1);
  CHECK(at(first_day + a_minute - 1) == 1);
  CHECK(at(first_day + a_minute) == 2);
  CHECK(at(first_day + 129 * a_minute) == 130);
  CHECK(reader.top({{first_day - 1, first_day}}, {}).rows.empty());
  CHECK(reader.top({{first_day + 130 * a_minute, ever.to}}, {}).head.covered.empty());
}

TEST_CASE("what is kept as a day alone is answered whole, and the answer says so") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  {
    HistoryFile file(directory.file(), {});
    ModelAgent agent("eth0", first_day, model);
    for (int minute = 0; minute < 2 * 24 * 60 + 90; minute += 10) {
      agent.count(Prefix(1), 1);
      agent.tick(10 * a_minute);
      agent.record(file);
    }
    SQLite::Database database(directory.file(), SQLite::OPEN_READWRITE);
    database.exec(
        "DELETE FROM row WHERE bucket IN (SELECT id FROM bucket WHERE level < 2 AND parent IN "
        "(SELECT id FROM bucket WHERE begin_time < 1700006400000))");
    database.exec("DELETE FROM bucket WHERE level < 2 AND begin_time < " +
                  std::to_string(first_day + a_day));
    // Of the other day the hours alone.
    database.exec("DELETE FROM bucket WHERE level = 0 AND parent IS NOT NULL AND begin_time < " +
                  std::to_string(first_day + 2 * a_day));
  }
  HistoryReader reader(directory.file());
  HistoryTop top = reader.top({{first_day + 3 * an_hour, first_day + 4 * an_hour}}, {});
  REQUIRE(top.head.covered.size() == 1);
  CHECK(top.head.covered[0].time == TimeRange{first_day, first_day + a_day});
  CHECK(top.head.asked == TimeRange{first_day + 3 * an_hour, first_day + 4 * an_hour});
  CHECK(top.rows.at(0).counts.packets == 144);
  const std::int64_t second = first_day + a_day;
  top = reader.top({{second + 90 * a_minute, second + 91 * a_minute}}, {});
  CHECK(top.head.covered.at(0).time == TimeRange{second + an_hour, second + 2 * an_hour});
  CHECK(top.rows.at(0).counts.packets == 6);
  top = reader.top({{second - a_minute, second + 90 * a_minute}}, {});
  CHECK(top.head.covered.at(0).time == TimeRange{first_day, second + 2 * an_hour});
  CHECK(top.rows.at(0).counts.packets == 144 + 12);
  CHECK(lines_text(reader.row({{second - a_minute, second + 90 * a_minute}}, HistoryStep::recorded,
                              Prefix(1))) == "0+1440: 144\n1440+60: 6\n1500+60: 6\n");
}

TEST_CASE("a row that is not in a bucket has sent nothing, unless the bucket has a rest") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {.rows = 2});
  ModelAgent agent("eth0", first_day, model);
  agent.count(Prefix(1), 5);
  agent.count(Prefix(2), 6);
  agent.minute(file);
  agent.count(Prefix(2), 6);
  agent.minute(file);
  agent.count(Prefix(1), 1);  // is cut: the others have more
  agent.count(Prefix(2), 6);
  agent.count(Prefix(3), 6);
  agent.minute(file);
  agent.count(Prefix(1), 7);
  agent.count_untracked(Family::ipv4, {1, 100});
  agent.minute(file);
  agent.count(Address(0x20010db800000000, 1), 7);
  agent.count_untracked(Family::ipv6, {1, 100});
  agent.minute(file);
  HistoryReader reader(directory.file());
  CHECK(lines_text(reader.row({ever}, HistoryStep::automatic, Prefix(1))) ==
        "0+1: 5\n1+1: 0\n2+1: >=0\n3+1: >=7\n4+1: 0\n");
  CHECK(lines_text(reader.row({ever}, HistoryStep::day, Prefix(1))) == "0+5: >=12\n");
  CHECK(lines_text(reader.row({ever}, HistoryStep::day, Address(0x20010db800000000, 1))) ==
        "0+5: >=7\n");
}

TEST_CASE("a year is answered by days, two weeks by hours, a week by what was recorded") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {.interval_ms = an_hour});
  ModelAgent agent("eth0", first_day, model);
  std::uint64_t sent = 0;
  std::size_t recorded = 0;
  // The last three weeks every half an hour, and before that every six hours.
  for (const auto& [end, step] :
       {std::pair{344 * a_day, 6 * an_hour}, std::pair{365 * a_day, an_hour / 2}})
    for (; agent.head.time < first_day + end; ++recorded) {
      agent.count(Prefix(1), recorded % 5);
      sent += recorded % 5;
      agent.tick(step);
      agent.record(file);
    }
  HistoryReader reader(directory.file());
  const auto asked = [&](std::int64_t from, std::int64_t to) {
    return reader.row({{first_day + from, first_day + to}}, HistoryStep::automatic, Prefix(1));
  };
  HistoryLines answer = asked(0, 365 * a_day);
  CHECK(answer.step == HistoryStep::day);
  CHECK(answer.lines.size() == 365);
  Counts sum;
  for (const HistoryLine& line : answer.lines) sum += line.row;
  CHECK(sum.packets == sent);
  answer = asked(350 * a_day, 357 * a_day);
  CHECK(answer.step == HistoryStep::recorded);
  CHECK(answer.lines.size() == 7 * 48);
  answer = asked(350 * a_day, 364 * a_day);
  CHECK(answer.step == HistoryStep::hour);
  CHECK(answer.lines.size() == 14 * 24);
  // A range that begins within a day has only that part of it.
  const std::int64_t late = first_day + 350 * a_day;
  answer = reader.row({{late + an_hour / 2, late + 2 * a_day}}, HistoryStep::day, Prefix(1));
  REQUIRE(answer.lines.size() == 2);
  CHECK(answer.lines[0].time == TimeRange{late + an_hour / 2, late + a_day});
  CHECK(reader.totals({ever}, HistoryStep::recorded).lines.size() == recorded);
}

TEST_CASE("a day of minutes is answered by tens of them") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  ModelAgent agent("eth0", first_day, model);
  for (std::uint32_t minute = 0; minute < 24 * 60; ++minute) {
    agent.count(Prefix(1), minute);
    agent.minute(file);
  }
  HistoryReader reader(directory.file());
  const HistoryLines answer = reader.row({ever}, HistoryStep::automatic, Prefix(1));
  CHECK(answer.step == HistoryStep::ten_minutes);
  REQUIRE(answer.lines.size() == 144);
  CHECK(answer.lines[143].time == TimeRange{first_day + a_day - 600'000, first_day + a_day});
  CHECK(answer.lines[143].row.packets == 10 * 1434 + 5);
}

TEST_CASE("networks are summed up in no more memory than there is for them") {
  const std::vector<std::string> agents{"eth0"};
  const HistorySelection selection{.group = Grouping{{32, std::nullopt}}};
  HighestRows highest(selection, agents);
  const auto add = [&](std::uint32_t number) {
    highest.add({.agent = 0, .address = typed_prefix_text(Prefix(number)), .counts = {1, 60}});
  };
  for (std::uint32_t i = 0; i < HighestRows::most_networks; ++i) add(i);
  add(0);
  // Rows of a family that is not summed up are as many as there are.
  for (std::uint32_t i = 0; i < 10; ++i)
    highest.add({.agent = 0, .address = address_text({1, i}), .counts = {1, 60}});
  CHECK_THROWS_WITH(add(HighestRows::most_networks),
                    "there are more than 1000000 networks: ask for larger ones, or a shorter time");
}

TEST_CASE("gaps are where nobody recorded, and where an agent began anew") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  for (const std::int64_t since : {first_day, first_day + an_hour}) {
    ModelAgent agent("eth0", since, model);
    agent.count(Prefix(1), 1);
    agent.minute(file);
    agent.count(Prefix(1), 5);
    agent.tick(10 * a_minute);
    agent.record(file);
    agent.minute(file);
  }
  ModelAgent other("eth1", first_day, model);
  other.minute(file);
  HistoryReader reader(directory.file());
  const auto gaps = reader.gaps({{first_day, first_day + a_day}, "eth0"}).gaps;
  REQUIRE(gaps.size() == 3);
  CHECK(gaps[0].time == TimeRange{first_day + a_minute, first_day + 11 * a_minute});
  CHECK(gaps[0].length == 9 * a_minute);
  CHECK(gaps[0].counted.value().frames() == Counts{5, 500});
  CHECK(gaps[1].time == TimeRange{first_day + 12 * a_minute, first_day + an_hour});
  CHECK(gaps[1].length == 48 * a_minute);
  CHECK_FALSE(gaps[1].counted);
  CHECK(gaps[2].time.from == first_day + an_hour + a_minute);
  CHECK(reader.gaps({{first_day, first_day + 5 * a_minute}}).gaps.size() == 1);
  CHECK(reader.gaps({{first_day + 11 * a_minute, first_day + 12 * a_minute}}).gaps.empty());
  CHECK(reader.gaps({ever, "eth1"}).gaps.empty());
  CHECK(reader.top({ever, "eth0"}, {}).head.gaps == gaps);
  CHECK(reader.gaps({{first_day, first_day + 1}}).last ==
        std::vector<HistoryHead::Last>{{"eth0", first_day + an_hour + 12 * a_minute},
                                       {"eth1", first_day + a_minute}});
}

TEST_CASE("an agent that began anew begins another line") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  for (const std::int64_t since : {first_day, first_day + 10 * a_minute}) {
    ModelAgent agent("eth0", since, model);
    agent.minute(file);
    agent.minute(file);
  }
  HistoryReader reader(directory.file());
  CHECK(lines_text(reader.totals({ever}, HistoryStep::hour)) == "0+2: 0\n10+2: 0\n");
  CHECK(lines_text(reader.totals({ever}, HistoryStep::day)) == "0+2: 0\n10+2: 0\n");
}

TEST_CASE("of many rows each is summed up once") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  ModelAgent agent("eth0", first_day, model);
  constexpr std::uint32_t peers = 3500;
  for (int minute = 0; minute < 2; ++minute) {
    for (std::uint32_t peer = 0; peer < peers; ++peer)
      agent.count(RowEnds{Address(1), Prefix(Address(peer))}, peer + 1);
    agent.minute(file);
  }
  const HistoryTop answer = HistoryReader(directory.file()).top({ever}, {.top = 2});
  check_balance(answer);
  CHECK(answer.left_out.rows == peers - 2);
  CHECK(answer.head.totals.rest.sum() == Counts{});
  CHECK(answer.rows.at(0).counts.packets == 2 * peers);
}

TEST_CASE("pairs are found by either end, and summed up by the networks of both") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  ModelAgent agent("eth0", first_day, model);
  agent.count({Address(0x0a000001), Prefix(Address(0x0b000001))}, 3);
  agent.count({Address(0x0a000002), Prefix(Address(0x0b000002))}, 4);
  agent.count({Address(0x0b000001), Prefix(Address(0x0a000001))}, 5);
  agent.count({Address(0x0c000001), Prefix(Address(0x0c000002))}, 6);
  agent.minute(file);
  HistoryReader reader(directory.file());
  const auto top = [&](const HistorySelection& selection) {
    const HistoryTop answer = reader.top({ever}, selection);
    check_balance(answer);
    std::string text;
    for (const HistoryRow& row : answer.rows)
      text +=
          fmt::format("{} > {} {} of {}\n", row.address, row.peer, row.counts.packets, row.rows);
    return text + fmt::format("{}/{}", answer.left_out.rows, answer.unselected.rows);
  };
  CHECK(top({.prefix = Prefix(Address(0x0b000001))}) ==
        "11.0.0.1 > 10.0.0.1 5 of 1\n10.0.0.1 > 11.0.0.1 3 of 1\n0/2");
  Grouping group;
  group.of(Family::ipv4) = 8;
  CHECK(top({.group = group}) ==
        "10.0.0.0/8 > 11.0.0.0/8 7 of 2\n12.0.0.0/8 > 12.0.0.0/8 6 of 1\n"
        "11.0.0.0/8 > 10.0.0.0/8 5 of 1\n0/0");
  CHECK(top({.top = 1, .group = group}) == "10.0.0.0/8 > 11.0.0.0/8 7 of 2\n2/0");
  CHECK(lines_text(reader.row({ever}, HistoryStep::hour, Address(0x0b000001))) == "0+1: 8\n");
}

TEST_CASE("what would divide a network that is counted as one is refused") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  ModelAgent agent("eth0", first_day, model);
  agent.count(Prefix(Address(0x0a000000), 16), 3);
  agent.minute(file);
  HistoryReader reader(directory.file());
  const auto refusal = [&](const HistorySelection& selection) {
    return answer_error([&] { reader.top({ever}, selection); });
  };
  Grouping group;
  group.of(Family::ipv4) = 24;
  CHECK(refusal({.group = group}) ==
        "--group4: rows are networks of 16 bits, which cannot be divided: ask for at most 16, not "
        "24");
  CHECK(refusal({.prefix = Prefix(Address(0x0a000000), 24)}) ==
        "--prefix: rows are networks of 16 bits: ask for 10.0.0.0/16");
  CHECK(refusal({.prefix = Prefix(Address(0x0a000000), 16)}).empty());
  group.of(Family::ipv4) = 16;
  CHECK(refusal({.group = group}).empty());
  // An address is in the network that has it.
  CHECK(reader.top({ever}, {.prefix = Prefix(Address(0x0a000009))}).rows.size() == 1);
}

TEST_CASE("a reader sees what is written meanwhile, and changes nothing") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  ModelAgent agent("eth0", first_day, model);
  agent.minute(file);
  HistoryReader reader(directory.file());
  for (std::uint32_t i = 0; i < 70; ++i) {
    agent.count(Prefix(1), 1);
    agent.minute(file);
    const HistoryTop answer = reader.top({ever}, {});
    CHECK(answer.rows.at(0).counts.packets == i + 1);
  }
}

TEST_CASE("each answer is of one state of a file that is written meanwhile") {
  const HistoryDirectory directory;
  // So small that something is removed each time.
  HistoryFile file(directory.file(), {.bytes = 150'000, .rows = 5});
  std::vector<ModelBucket> model;
  std::atomic<bool> done = false;
  std::string error;
  std::thread writer([&] {
    error = answer_error([&] {
      ModelNumbers numbers;
      record_random(file, model, numbers, 600, true);
    });
    done = true;
  });
  HistoryReader reader(directory.file());
  std::size_t states = 0;
  std::uint64_t frames = 0;
  do {
    const HistoryTop answer = reader.top({ever}, {.top = 3});
    check_balance(answer);
    const std::uint64_t now = answer.head.totals.frames().packets;
    if (std::exchange(frames, now) != now) ++states;
    const HistoryLines lines = reader.totals({ever}, HistoryStep::hour);
    HistoryTotals sum;
    for (const HistoryLine& line : lines.lines) sum += line.totals;
    CHECK(sum == lines.head.totals);
  } while (!done);
  writer.join();
  CHECK(error == "");
  CHECK(states > 5);
}

TEST_CASE("who may not write beside the file reads it, with a hub that writes and without") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  ModelAgent agent("eth0", first_day, model);
  agent.count(Prefix(1), 1);
  const auto asked_by_stranger = [&] {
    const bool root = ::geteuid() == 0;
    REQUIRE(::chmod(directory.path.c_str(), 0555) == 0);
    if (root) REQUIRE(::seteuid(65534) == 0);
    std::string answer = answer_error([&] {
      const HistoryTop top = HistoryReader(directory.file()).top({ever}, {});
      throw std::runtime_error(std::to_string(top.rows.at(0).counts.packets));
    });
    if (root) REQUIRE(::seteuid(0) == 0);
    REQUIRE(::chmod(directory.path.c_str(), 0755) == 0);
    return answer;
  };
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(directory.path), {});
  };
  {
    HistoryFile file(directory.file(), {});
    agent.minute(file);
    CHECK(files() == 3);
    CHECK(asked_by_stranger() == "1");
    agent.count(Prefix(1), 1);
    agent.minute(file);
    CHECK(asked_by_stranger() == "2");
  }
  REQUIRE(files() == 1);
  CHECK(asked_by_stranger() == "2");
  CHECK(files() == 1);
  // A hub that crashed leaves what only who writes can take up.
  { const std::ofstream log(directory.file() + "-wal"); }
  CHECK(asked_by_stranger().ends_with(": use sudo"));
  std::filesystem::remove(directory.file() + "-wal");
  REQUIRE(::chmod(directory.file().c_str(), 0) == 0);
  CHECK(asked_by_stranger().ends_with(": Permission denied: use sudo"));
}

TEST_CASE("what is no history of this version is refused with the reason") {
  const HistoryDirectory directory;
  const std::string path = directory.file();
  CHECK(reader_error(path).starts_with("there is no history " + path + ": a hub"));
  { const std::ofstream empty(path); }
  CHECK(reader_error(path) == path + " is no history");
  std::ofstream(path) << std::string(10'000, 'x');
  CHECK(reader_error(path) == path + " is no history");
  std::filesystem::remove(path);
  {
    SQLite::Database other(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    other.exec("CREATE TABLE row (a)");
  }
  CHECK(reader_error(path) == path + " is no history");
  std::filesystem::remove(path);
  { const HistoryFile file(path, {}); }
  CHECK(reader_error(path).empty());
  CHECK(answer_error([&] {
          HistoryReader(path).gaps({ever, "eth0"});
        }) == "the history has nothing of eth0: it is empty");
  {
    SQLite::Database newer(path, SQLite::OPEN_READWRITE);
    newer.exec("PRAGMA user_version = 3");
  }
  CHECK(reader_error(path) ==
        path +
            " is a history of version 3, and this program's is version 2: a program of that "
            "version reads it, and where it is moved away a hub begins another one");
  CHECK(reader_error(directory.path) != "");
}

TEST_CASE("a damaged history is an error, whatever is wrong with it") {
  ModelNumbers numbers;
  const HistoryDirectory directory;
  const std::string path = directory.file();
  std::vector<ModelBucket> model;
  {
    HistoryFile file(path, {});
    record_random(file, model, numbers, 200, true);
  }
  std::string bytes;
  {
    std::ifstream in(path, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::size_t errors = 0;
  for (int round = 0; round < 200; ++round) {
    std::string damaged = bytes;
    if (round % 10 == 0)
      damaged.resize(100 + numbers.up_to(static_cast<std::uint32_t>(bytes.size()) - 100));
    for (int n = 0; n < 100; ++n)
      damaged[100 + numbers.up_to(static_cast<std::uint32_t>(damaged.size()) - 101)] =
          static_cast<char>(numbers.up_to(255));
    std::ofstream(path, std::ios::binary) << damaged;
    // Any answer or error will do, but no crash, and an end.
    const std::string error = answer_error([&] {
      HistoryReader reader(path);
      reader.top({ever}, {.prefix = network_of(Address(0x0a000000), 8)});
      reader.row({ever}, HistoryStep::automatic, Prefix(1));
    });
    if (error.find("damaged") != error.npos) ++errors;
  }
  CHECK(errors > 100);
}

TEST_CASE("a row of what is no address is damage, once it has to be read as one") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  {
    HistoryFile file(directory.file(), {});
    ModelAgent agent("eth0", first_day, model);
    agent.count(Prefix(1), 1);
    agent.minute(file);
    SQLite::Database database(directory.file(), SQLite::OPEN_READWRITE);
    database.exec("UPDATE row SET address = '10.0.0.256'");
  }
  HistoryReader reader(directory.file());
  CHECK(reader.top({ever}, {}).rows.at(0).address == "10.0.0.256");
  CHECK(answer_error([&] { reader.top({ever}, {.prefix = Prefix(1)}); }) ==
        "the history is damaged: it has a row of '10.0.0.256'");
}

TEST_CASE("rows that are no text are damage, and no endless answer") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  {
    HistoryFile file(directory.file(), {});
    ModelAgent agent("eth0", first_day, model);
    for (std::uint32_t i = 0; i < 1500; ++i) agent.count(Prefix(i), 1);
    agent.minute(file);
    SQLite::Database database(directory.file(), SQLite::OPEN_READWRITE);
    database.exec("UPDATE row SET address = CAST(address AS BLOB)");
  }
  HistoryReader reader(directory.file());
  CHECK(answer_error([&] { reader.top({ever}, {}); }) ==
        "the history is damaged: its rows are in no order");
}

TEST_CASE("an agent that is not in the history is refused with those that are") {
  const HistoryDirectory directory;
  std::vector<ModelBucket> model;
  HistoryFile file(directory.file(), {});
  for (const char* name : {"eth0", "eth1"}) ModelAgent(name, first_day, model).minute(file);
  HistoryReader reader(directory.file());
  CHECK(answer_error([&] {
          reader.gaps({ever, "eht0"});
        }) == "the history has nothing of eht0: it has eth0, eth1; did you mean eth0?");
}

}  // namespace xdp_count
