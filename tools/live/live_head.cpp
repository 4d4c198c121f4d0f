// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "live/live_head.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/time_format.hpp"
#include "model/names.hpp"
#include "view/table_view.hpp"

namespace xdp_count {
namespace {

constexpr const char* waiting = "waiting for the next snapshot";

// How many packets are in each class, and in none of the rows: all of them, or those above zero.
std::vector<std::string> packet_counts(const SnapshotHead& head, std::string (*text)(std::uint64_t),
                                       bool zeros) {
  std::vector<std::string> items;
  const auto add = [&](const char* name, std::uint64_t packets) {
    if (packets > 0 || zeros) items.push_back(fmt::format("{} {}", name, text(packets)));
  };
  for (std::size_t i = 0; i < frame_classes; ++i)
    add(frame_class_names[i], head.classes[i].counts.packets);
  add("untracked", head.untracked.sum().packets);
  add("evicted", head.evicted.sum().counts.packets);
  return items;
}

std::string classes_line(const SnapshotHead& head, std::size_t width) {
  return fitted({packet_counts(head, grouped, true), packet_counts(head, grouped, false),
                 packet_counts(head, rounded, true), packet_counts(head, rounded, false)},
                width);
}

std::vector<std::string> totals(const SnapshotHead& head, std::string (*text)(std::uint64_t)) {
  std::vector<std::string> items{fmt::format("{} frames", text(head.frames.counts.packets))};
  for (std::string& rate : frame_rates(head)) items.push_back(std::move(rate));
  items.push_back(fmt::format("tracked {} of {}", text(head.tracked), text(head.capacity)));
  return items;
}

// The same with the rates over longer times.
std::vector<std::string> totals_over_times(const SnapshotHead& head) {
  std::vector<std::string> items = totals(head, grouped);
  for (const RecentWindow window : windows_apart(head)) {
    const RecentTotal& total = head.of(window);
    const Rates rates = rates_over(total.frames, total.seconds);
    items.push_back(fmt::format("{}: {}frames/s  {}bit/s", window_text(total.seconds),
                                scaled(rates.pps), scaled(rates.bps)));
  }
  return items;
}

// The same behind a name, in forms that take ever less room.
std::vector<std::vector<std::string>> sum_forms(const std::string& name, const SnapshotHead& head) {
  std::vector<std::string> exact = totals(head, grouped);
  std::vector<std::string> round = totals(head, rounded);
  std::vector<std::vector<std::string>> forms{exact, exact, round, round, frame_rates(head)};
  for (const std::size_t without_tracked : {1, 3}) forms[without_tracked].pop_back();
  for (std::vector<std::string>& form : forms) form.insert(form.begin(), name);
  return forms;
}

// "12:00:00Z"
std::string time_of_day(std::int64_t time) {
  return rfc3339(time).substr(11, 8) + "Z";
}

template <typename Item>
std::vector<Item> behind(std::vector<Item> first, std::vector<Item> more) {
  for (Item& item : more) first.push_back(std::move(item));
  return first;
}

// "eth0  native  1,234 frames  1.5 kframes/s  2.5 Mbit/s  tracked 2 of 262,144", with its name
// given room for all of them.
std::string agent_line(std::string name, const AgentPicture& agent, std::size_t name_width,
                       std::size_t width) {
  name.append(name_width - std::min(name_width, text_width(name)), ' ');
  if (!agent.head) return fitted({{name, agent.lost ? "no agent" : waiting}}, width);
  if (agent.lost) {
    const std::uint64_t frames = agent.head->frames.counts.packets;
    const auto counted = [&](const std::string& count) { return count + " frames"; };
    return fitted({{name, "no agent", counted(grouped(frames))},
                   {name, "no agent", counted(rounded(frames))}},
                  width);
  }
  return fitted(behind({behind({name, name_of(agent.head->mode)}, totals(*agent.head, grouped))},
                       sum_forms(name, *agent.head)),
                width);
}

}  // namespace

std::string fitted(const std::vector<std::vector<std::string>>& forms, std::size_t width) {
  for (const std::vector<std::string>& items : forms)
    if (const auto lines = wrapped(items, width); lines.size() == 1) return lines[0];
  const auto lines = wrapped(forms.back(), width);
  return lines.empty() ? "" : lines[0];
}

std::string rate_text(const Rates& rates) {
  return fmt::format("{}packets/s  {}bit/s", scaled(rates.pps), scaled(rates.bps));
}

std::vector<RecentWindow> windows_apart(const SnapshotHead& head) {
  std::vector<RecentWindow> windows;
  double last = 0;
  for (const RecentWindow window : {RecentWindow::of_10s, RecentWindow::of_60s})
    if (const double seconds = head.of(window).seconds; seconds >= 1 && seconds > last) {
      windows.push_back(window);
      last = seconds;
    }
  return windows;
}

std::string window_text(double seconds) {
  return fmt::format("over {:.0f} s", seconds);
}

std::vector<std::string> head_of_one(const std::optional<SnapshotHead>& head,
                                     std::vector<std::string> state, std::size_t width) {
  if (!head) return wrapped(behind({waiting}, std::move(state)), width);
  const std::string pace =
      fmt::format(fmt::runtime(head->partial ? "{:.3f} s, too short for rates" : "every {:.1f} s"),
                  head->interval);
  const std::vector<std::string> what =
      behind({head->interface, name_of(head->mode)}, row_kind_text(*head));
  return {fitted({behind(behind(what, {pace, rfc3339(head->time)}), state),
                  behind(behind(what, {time_of_day(head->time)}), state), behind(what, state),
                  behind({head->interface}, state)},
                 width),
          fitted({totals_over_times(*head), totals(*head, grouped), totals(*head, rounded),
                  frame_rates(*head)},
                 width),
          classes_line(*head, width)};
}

SnapshotHead sum_of(const std::vector<AgentPicture>& agents) {
  SnapshotHead sum;
  sum.partial = true;
  for (const AgentPicture& agent : agents) {
    if (!agent.head) continue;
    const SnapshotHead& head = *agent.head;
    sum.time = std::max(sum.time, head.time);
    sum.frames.counts += head.frames.counts;
    for (std::size_t i = 0; i < frame_classes; ++i) sum.classes[i].counts += head.classes[i].counts;
    sum.untracked += head.untracked;
    sum.evicted += head.evicted;
    sum.tracked += head.tracked;
    sum.capacity += head.capacity;
    if (agent.lost || head.partial) continue;
    sum.partial = false;
    sum.frames.rates.pps += head.frames.rates.pps;
    sum.frames.rates.bps += head.frames.rates.bps;
  }
  return sum;
}

std::vector<std::string> head_of_several(const std::vector<AgentPicture>& agents,
                                         std::vector<std::string> state, std::size_t width,
                                         std::size_t room) {
  const std::string number = fmt::format("{} interfaces", agents.size());
  const SnapshotHead sum = sum_of(agents);
  if (sum.time == 0) return wrapped(behind({number, waiting}, std::move(state)), width);
  std::vector<std::string> lines{
      fitted({behind({number, rfc3339(sum.time)}, state),
              behind({number, time_of_day(sum.time)}, state), behind({number}, state)},
             width)};

  std::vector<std::string> names;
  std::size_t name_width = 3;  // that of "all"
  for (std::size_t i = 0; i < agents.size(); ++i) {
    names.push_back(name_among(agents, i));
    name_width = std::max(name_width, text_width(names.back()));
  }
  const std::string all = fmt::format("{:<{}}", "all", name_width);
  lines.push_back(fitted(sum_forms(all, sum), width));

  room -= std::min(room, lines.size());
  std::size_t single = agents.size();
  if (single > room) single = room < 2 ? 0 : room - 1;  // the last line says that there are more
  for (std::size_t i = 0; i < single; ++i)
    lines.push_back(agent_line(names[i], agents[i], name_width, width));
  if (single > 0 && single < agents.size()) {
    lines.push_back(fmt::format("and {} more", agents.size() - single));
    ++single;
  }
  if (single < room) lines.push_back(classes_line(sum, width));
  return lines;
}

}  // namespace xdp_count
