// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// What `top` shows on a terminal, and what the keys do. Pure: knows no terminal and no socket.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "live/agent_picture.hpp"
#include "live/screen.hpp"
#include "model/request.hpp"
#include "model/snapshot.hpp"
#include "protocol/json_decoding.hpp"

namespace xdp_count {

class LiveView {
 public:
  using Clock = std::chrono::steady_clock;

  struct Settings {
    SortKey by = SortKey::pps;
    std::optional<Prefix> prefix = {};
    std::optional<Family> family = {};
    std::size_t most_rows = max_top;
    bool utf8 = true;  // what the terminal can show
  };

  // There is one agent at first, which has the number 0. With one alone nothing is said of which
  // it is but in the head; with several each row names its interface.
  explicit LiveView(const Settings& settings, const std::string& socket_name = "")
      : settings_(settings) {
    add_agent(socket_name);
  }

  // One agent more, shown as `socket_name` until it says its interface. Returns its number.
  std::size_t add_agent(const std::string& socket_name);

  // The sources to subscribe to, of each agent: as many as can fit the screen, those that it was
  // scrolled past, and a screen more, so that they are there when it is scrolled on. Of a network
  // enough that their sum is mostly that of the network.
  Selection selection() const;

  // What happens. Each changes what screen() returns from then on.
  void resize(ScreenSize size);
  // Sets the present time, which snapshots that come are given, and by which they are late. While
  // the view waits for a snapshot, what it shows changes once a second.
  void pass_time(Clock::time_point now) { now_ = now; }
  void show(const SnapshotMessage& message, std::size_t agent = 0);
  // The selected sources, between two snapshots.
  void show(const SourcesMessage& message, std::size_t agent = 0);
  void show_message(std::string line);  // of an agent's log, for a while
  void agent_lost(const std::string& reason, std::size_t agent = 0);
  // It may be another one, whose totals are not known yet.
  void agent_restored(std::size_t agent = 0);
  // An agent cannot select rows by the network that was typed: none is in force then.
  void filter_refused(const std::string& reason);
  // Returns false when the key asked to end.
  bool press(int key);

  Screen screen() const;

 private:
  // Which row, wherever the order puts it.
  struct RowKey {
    std::size_t agent;
    RowEnds ends;

    friend bool operator==(const RowKey&, const RowKey&) = default;
  };

  // A source of one agent. Two agents that both have seen it have a row each.
  struct Row {
    std::size_t agent;
    const SourceRow* source;  // of the agent's picture, which many may be
    bool rates;               // whether they are known

    RowKey key() const { return {agent, source->ends()}; }
  };

  // What the screen has room for, from the top to the footer.
  struct Layout {
    std::vector<ScreenLine> above;        // warnings, totals
    std::vector<Row> rows;                // all there are, in order
    std::optional<std::size_t> selected;  // of the rows, where the selected one is among them
    std::size_t first = 0;                // of the rows on the screen
    std::size_t room = 0;                 // for rows, below their titles
    // One past the last row on the screen.
    std::size_t end() const { return std::min(first + room, rows.size()); }
    std::vector<ScreenLine> below;  // details of the selected row
  };

  bool press_outside_of_input(int key);
  void type(int key);
  std::optional<CountBy> counted_by() const;
  void take_prefix();
  void select(int key);
  void stay_at_end();
  void fit_addresses();
  bool filtered() const { return settings_.prefix || settings_.family; }
  std::size_t most_rows() const { return std::min(settings_.most_rows, max_top); }
  bool press_in_help(int key);
  void show_next_agent();
  // What is shown: of all agents, by their numbers, or of the one that was chosen.
  const std::vector<AgentPicture>& pictures() const { return paused_ ? *paused_ : newest_; }
  std::vector<std::size_t> shown() const;
  bool several() const { return shown().size() > 1; }
  std::optional<double> rate_of(const Row& row, SortKey by) const;
  bool before(const Row& a, const Row& b) const;
  std::vector<Row> ordered_rows() const;
  std::vector<ScreenLine> warnings() const;
  std::vector<ScreenLine> messages() const;
  std::vector<ScreenLine> head_lines(const std::vector<Row>& rows, std::size_t room) const;
  std::string filter_sum(const std::vector<Row>& rows) const;
  std::vector<ScreenLine> details(const Row* row) const;
  Layout layout() const;
  std::size_t interface_width() const;
  std::vector<ScreenLine> source_lines(const Layout& layout) const;
  ScreenLine footer(const Layout& layout) const;
  std::vector<ScreenLine> help_lines() const;

  Settings settings_;
  ScreenSize size_;
  Clock::time_point now_;
  std::vector<AgentPicture> newest_;  // by the agents' numbers
  std::optional<std::vector<AgentPicture>> paused_;
  struct LogMessage {
    Clock::time_point arrived;
    std::string text;
  };
  std::deque<LogMessage> messages_;   // the last ones, the oldest first
  std::optional<std::size_t> only_;   // the agent that is shown alone
  std::optional<std::string> typed_;  // a prefix, while it is asked for
  std::optional<RowKey> selected_;
  std::size_t first_row_ = 0;  // how many rows are above the screen
  // Of the column of the addresses: grows with the rows that are shown, and shrinks when other rows
  // are asked for, so that the columns do not jump from snapshot to snapshot.
  std::size_t address_width_ = max_ipv4_text;
  // Until the next key: the selected row is the last one, of which the agents have yet to say.
  bool at_end_ = false;
  bool details_ = false;
  std::string complaint_;  // until the next key
  bool help_ = false;
  std::size_t first_help_line_ = 0;
};

}  // namespace xdp_count
